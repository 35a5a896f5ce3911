// Data that is sent to every node once and used by many tasks, as this process has it.
//
// A task carries its number. Rank 0's entry lives as long as a handle on it, or a task that was given one; a worker's
// from the message that brings it until rank 0 says that nobody needs it any more, or longer, while a task uses it.
#pragma once

#include <rankpool/detail/bytes.hpp>
#include <rankpool/detail/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace rankpool::detail {

class shared_data {
 public:
  /// `memory` holds the bytes.
  shared_data(std::uint64_t id, std::shared_ptr<const void> memory, std::span<const std::byte> bytes)
      : id_(id), memory_(std::move(memory)), bytes_(bytes) {}

  std::uint64_t id() const { return id_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  /// Of the bytes, worked out once.
  const digest& content() const;

  /// The object that the bytes stand for, made once by `make(bytes)`.
  template <class T, class Make>
  const T& object(Make make) const {
    std::lock_guard lock(mutex_);
    if (object_ == nullptr) object_ = std::make_shared<const T>(make(bytes_));
    return *static_cast<const T*>(object_.get());
  }
  /// Where there is one already.
  void keep_object(std::shared_ptr<const void> object) const { object_ = std::move(object); }

  /// What this process holds under that number, waiting for it if it is still on its way. Throws serialization_error.
  static std::shared_ptr<const shared_data> find(std::uint64_t id);

 private:
  const std::uint64_t id_;
  const std::shared_ptr<const void> memory_;
  const std::span<const std::byte> bytes_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const void> object_;
  mutable std::optional<digest> content_;
};

}  // namespace rankpool::detail

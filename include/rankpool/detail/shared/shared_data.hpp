// A shared value: data that is sent to every node once and used by many tasks. This is its representation in one process.
//
// A task carries the id of the value. On rank 0 a value lives while a handle or a task refers to it. On a worker it lives from its
// arrival until rank 0 reports that no task needs it any more, or longer if a task is using it.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

namespace rankpool::detail {

/// A shared value in this process. Thread safety: all members may be called from any thread, except keep_object().
class shared_data {
 public:
  /// `memory`: the owner of the bytes.
  shared_data(std::uint64_t id, std::shared_ptr<const void> memory, std::span<const std::byte> bytes)
      : id_(id), memory_(std::move(memory)), bytes_(bytes) {}

  std::uint64_t id() const { return id_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  /// Returns the digest of the bytes, which is computed once.
  const digest& content() const;

  /// Returns the decoded object. The first call creates it by `make(bytes)`.
  template <class T, class Make>
  const T& object(Make make) const {
    std::lock_guard lock(mutex_);
    if (object_ == nullptr) object_ = std::shared_ptr<const T>(new T(make(bytes_)));  // in place: it may be large
    return *static_cast<const T*>(object_.get());
  }
  /// Sets the decoded object, so that object() does not create it.
  void keep_object(std::shared_ptr<const void> object) const { object_ = std::move(object); }

  /// Returns the value with this id. Throws: serialization_error if it could not be received or does not arrive in time.
  /// Blocks: until the value arrives.
  static std::shared_ptr<const shared_data> find(std::uint64_t id);

 private:
  const std::uint64_t id_;
  const std::shared_ptr<const void> memory_;
  const std::span<const std::byte> bytes_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const void> object_;
  mutable digest content_{};
  mutable bool has_content_ = false;
};

}  // namespace rankpool::detail

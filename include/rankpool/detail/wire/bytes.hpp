// A byte buffer, and cursors that write to it and read from it.
//
// Everything that is sent is first written to a byte_buffer. Small contents are stored inside the object, so a task of a few
// numbers needs no allocation. Growth does not initialise memory that will be overwritten. A byte_reader never reads past its end:
// short or corrupt input is a serialization_error.
#pragma once

#include <rankpool/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// Requests huge pages for memory that has not been accessed yet. The page faults of small pages cost more than copying the data.
void advise_huge_pages(void* data, std::size_t size);

/// A growing array of bytes. Movable, not copyable.
class byte_buffer {
 public:
  static constexpr std::size_t inline_capacity = 32;

  byte_buffer() noexcept = default;
  byte_buffer(byte_buffer&& other) noexcept { take(other); }
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  byte_buffer(const byte_buffer&) = delete;
  byte_buffer& operator=(const byte_buffer&) = delete;
  ~byte_buffer() { release(); }

  std::byte* data() noexcept { return on_heap() ? heap_ : inline_; }
  const std::byte* data() const noexcept { return on_heap() ? heap_ : inline_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  operator std::span<const std::byte>() const noexcept { return {data(), size_}; }  // NOLINT(google-explicit-constructor)

  void clear() noexcept { size_ = 0; }

  /// Removes all bytes, and frees their memory.
  void release() noexcept {
    if (on_heap()) deallocate(heap_, capacity_);
    capacity_ = inline_capacity;
    size_ = 0;
  }

  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    std::byte* grown = allocate(capacity);
    if (size_ != 0) std::memcpy(grown, data(), size_);
    if (on_heap()) deallocate(heap_, capacity_);
    heap_ = grown;
    capacity_ = capacity;
  }

  /// Sets the size. New bytes are uninitialised.
  void resize(std::size_t size) {
    reserve(size);
    size_ = size;
  }

  /// Appends n uninitialised bytes and returns a pointer to them.
  std::byte* extend(std::size_t n) {
    const std::size_t at = size_;
    if (at + n > capacity_) {
      reserve(at + n > 2 * capacity_ ? at + n : 2 * capacity_);
      size_ = at + n;
      return heap_ + at;
    }
    size_ = at + n;
    return data() + at;
  }

  void append(const void* bytes, std::size_t n) {
    if (n != 0) std::memcpy(extend(n), bytes, n);
  }

 private:
  bool on_heap() const noexcept { return capacity_ > inline_capacity; }

  /// Allocates memory, from the buffer pool if possible. Rounds a large capacity up. Throws: std::bad_alloc.
  static std::byte* allocate(std::size_t& capacity);
  /// Frees memory, or returns it to the buffer pool if it is large.
  static void deallocate(std::byte* memory, std::size_t capacity) noexcept;

  void take(byte_buffer& other) noexcept {
    size_ = std::exchange(other.size_, 0);
    if (other.on_heap()) {
      heap_ = other.heap_;
      capacity_ = std::exchange(other.capacity_, inline_capacity);
    } else {
      std::memcpy(inline_, other.inline_, inline_capacity);  // the size is constant, so this is a few vector moves
    }
  }

  std::size_t size_ = 0;
  std::size_t capacity_ = inline_capacity;
  union {
    std::byte* heap_;
    std::byte inline_[inline_capacity] = {};  // initialised, because take() copies all of it
  };
};

class block;
class shared_data;

/// A shared value that encoded bytes refer to, and where its id, of 8 bytes, begins in them.
struct shared_reference {
  std::size_t offset = 0;
  std::shared_ptr<const shared_data> value;
};
/// The shared values that encoded bytes refer to, by ascending offset. They must live as long as the bytes.
using shared_references = std::vector<shared_reference>;

/// A cursor that appends to a byte_buffer. Lifetime: the buffer and the lists must outlive it.
class byte_writer {
 public:
  using attachments = std::vector<std::shared_ptr<block>>;

  /// Appends to `out`. If `out_of_band` is not null, large contiguous data is attached to it and not written to `out`. If
  /// `references` is not null, it receives the shared values that the bytes refer to. `every_reference` false: of consecutive
  /// references to the same value, it receives only the first.
  explicit byte_writer(byte_buffer& out, attachments* out_of_band = nullptr, shared_references* references = nullptr,
                       bool every_reference = true) noexcept
      : out_(&out), out_of_band_(out_of_band), references_(references), every_reference_(every_reference) {}

  bool collects_references() const noexcept { return references_ != nullptr; }
  /// Records that the id of a shared value is at `offset`.
  void refer_to(const std::shared_ptr<const shared_data>& value, std::size_t offset) {
    if (references_ == nullptr) return;
    if (!every_reference_ && !references_->empty() && references_->back().value == value) return;
    references_->push_back({offset, value});
  }

  /// Reserves capacity for `bytes` more bytes.
  void expect(std::size_t bytes) { out_->reserve(out_->size() + bytes); }

  /// The numbers of bytes, blocks and references written so far.
  struct position {
    std::size_t bytes = 0;
    std::size_t attached = 0;
    std::size_t referenced = 0;
  };
  position at() const noexcept {
    return {out_->size(), out_of_band_ == nullptr ? 0 : out_of_band_->size(), references_ == nullptr ? 0 : references_->size()};
  }
  /// Removes all bytes, blocks and references written after a position.
  void rewind(position to) {
    out_->resize(to.bytes);
    if (out_of_band_ != nullptr) out_of_band_->resize(to.attached);
    if (references_ != nullptr) references_->resize(to.referenced);
  }

  /// Returns whether large data is attached out of band.
  bool attaches() const noexcept { return out_of_band_ != nullptr; }
  void attach(std::shared_ptr<block> b) { out_of_band_->push_back(std::move(b)); }
  /// Returns the attached blocks.
  std::span<const std::shared_ptr<block>> attached() const noexcept {
    return out_of_band_ == nullptr ? std::span<const std::shared_ptr<block>>() : std::span(std::as_const(*out_of_band_));
  }

  void raw(const void* bytes, std::size_t n) { out_->append(bytes, n); }

  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) { std::memcpy(out_->extend(sizeof(T)), &value, sizeof(T)); }

  /// Writes a number in groups of seven bits, the lowest first: one byte for a number below 128, at most ten.
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) put(static_cast<std::byte>(value | 0x80));
    put(static_cast<std::byte>(value));
  }

  void put_string(const std::string& s) {
    put<std::uint64_t>(s.size());
    raw(s.data(), s.size());
  }

  /// Leaves room for a value that is not known yet, and returns its position for patch().
  template <class T>
  std::size_t hole() {
    const std::size_t at = out_->size();
    out_->extend(sizeof(T));
    return at;
  }

  /// Writes a value to the room that hole() left.
  template <class T>
  void patch(std::size_t at, const T& value) {
    std::memcpy(out_->data() + at, &value, sizeof(T));
  }

  std::size_t size() const noexcept { return out_->size(); }
  byte_buffer& buffer() noexcept { return *out_; }

 private:
  byte_buffer* out_;
  attachments* out_of_band_;
  shared_references* references_;
  bool every_reference_;
};

/// A cursor that reads bytes. Lifetime: the bytes and the blocks must outlive it.
class byte_reader {
 public:
  using attachments = std::span<const std::shared_ptr<block>>;

  byte_reader(const std::byte* data, std::size_t size, attachments out_of_band = {}) noexcept
      : at_(data), end_(data + size), out_of_band_(out_of_band) {}
  explicit byte_reader(const byte_buffer& b, attachments out_of_band = {}) noexcept
      : byte_reader(b.data(), b.size(), out_of_band) {}

  /// Returns the next attached block. Throws: serialization_error if none is left.
  const std::shared_ptr<block>& take_attachment() {
    if (out_of_band_.empty()) throw serialization_error("message lacks an out-of-band buffer");
    const auto& next = out_of_band_.front();
    out_of_band_ = out_of_band_.subspan(1);
    return next;
  }

  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  /// Returns a pointer to the next n bytes and skips them. Throws: serialization_error if fewer are left.
  const std::byte* take(std::size_t n) {
    if (n > remaining()) truncated(n);
    return std::exchange(at_, at_ + n);
  }

  template <class T>
    requires std::is_trivially_copyable_v<T> T get() {
      T value;
      std::memcpy(&value, take(sizeof(T)), sizeof(T));
      return value;
    }

  std::uint64_t get_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = get<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw serialization_error("message contains a number of more than 64 bits");
  }

  std::string get_string() {
    const std::size_t n = get_count(1);
    const std::byte* at = take(n);
    return {reinterpret_cast<const char*>(at), n};
  }

  /// Reads the number of items that follow. Throws: serialization_error if the bytes that are left cannot hold so many items of at
  /// least `item_bytes` bytes each: a corrupt number must not lead to a large allocation.
  std::size_t get_count(std::size_t item_bytes) {
    const auto n = get<std::uint64_t>();
    if (n > remaining() / item_bytes) truncated(n);
    return n;
  }

  /// The next byte, and the number of blocks that have not been taken.
  struct position {
    const std::byte* at = nullptr;
    std::size_t attached = 0;
  };
  position at() const noexcept { return {at_, out_of_band_.size()}; }
  /// Returns to an earlier position.
  void rewind(position to) noexcept {
    at_ = to.at;
    out_of_band_ = {out_of_band_.data() - (to.attached - out_of_band_.size()), to.attached};
  }
  /// Makes every further read throw a serialization_error, because the start of the next value is unknown.
  void lose_position() noexcept {
    at_ = end_;
    out_of_band_ = {};
    lost_ = true;
  }

  /// Skips the next n bytes and returns a reader of them. It shares the remaining attached blocks.
  byte_reader sub(std::size_t n) { return {take(n), n, out_of_band_}; }

  /// Throws: serialization_error if bytes are left.
  void expect_end() const {
    if (at_ != end_) too_long();
  }

 private:
  [[noreturn]] void truncated(std::uint64_t wanted) const;
  [[noreturn]] void too_long() const;

  const std::byte* at_;
  const std::byte* end_;
  attachments out_of_band_;
  bool lost_ = false;
};

}  // namespace rankpool::detail

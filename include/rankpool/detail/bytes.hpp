// Owned bytes, and cursors that write to and read from them.
//
// Everything that travels is first put into a byte_buffer. Small contents live inside the object, so that a
// task of a few numbers costs no allocation; growth never initialises memory that is about to be overwritten.
// A byte_reader never reads past its end: short or corrupt input is a serialization_error.
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

/// Asks for huge pages where the memory has not been touched yet: to touch it in small ones costs more than to copy it.
void advise_huge_pages(void* data, std::size_t size);

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

  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    std::byte* grown = allocate(capacity);
    if (size_ != 0) std::memcpy(grown, data(), size_);
    if (on_heap()) deallocate(heap_, capacity_);
    heap_ = grown;
    capacity_ = capacity;
  }

  /// Sets the size; new bytes are left uninitialised.
  void resize(std::size_t size) {
    reserve(size);
    size_ = size;
  }

  /// Makes room for n more bytes at the end and returns their place.
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

  /// Rounds large sizes up, and takes memory that was kept if there is some.
  static std::byte* allocate(std::size_t& capacity);
  /// Keeps large memory for the next allocation.
  static void deallocate(std::byte* memory, std::size_t capacity) noexcept;

  void release() noexcept {
    if (on_heap()) deallocate(heap_, capacity_);
    capacity_ = inline_capacity;
    size_ = 0;
  }

  void take(byte_buffer& other) noexcept {
    size_ = std::exchange(other.size_, 0);
    if (other.on_heap()) {
      heap_ = other.heap_;
      capacity_ = std::exchange(other.capacity_, inline_capacity);
    } else {
      std::memcpy(inline_, other.inline_, inline_capacity);  // a constant size: a few vector moves
    }
  }

  std::size_t size_ = 0;
  std::size_t capacity_ = inline_capacity;
  union {
    std::byte* heap_;
    std::byte inline_[inline_capacity] = {};  // set, because take() copies all of it
  };
};

class block;
class shared_data;

/// What must live as long as encoded bytes, which refer to it.
using keepers = std::vector<std::shared_ptr<const shared_data>>;

class byte_writer {
 public:
  using attachments = std::vector<std::shared_ptr<block>>;

  /// Large contiguous data is attached to `beside`, where there is one, instead of being written; what the bytes only
  /// refer to is kept alive in `kept`.
  explicit byte_writer(byte_buffer& out, attachments* beside = nullptr, keepers* kept = nullptr) noexcept
      : out_(&out), beside_(beside), kept_(kept) {}

  void keep(std::shared_ptr<const shared_data> object) {
    if (kept_ != nullptr && (kept_->empty() || kept_->back() != object)) kept_->push_back(std::move(object));
  }

  /// Makes room for so many bytes at once.
  void expect(std::size_t bytes) { out_->reserve(out_->size() + bytes); }

  /// How far it has written and attached.
  struct position {
    std::size_t bytes = 0;
    std::size_t attached = 0;
  };
  position at() const noexcept { return {out_->size(), beside_ == nullptr ? 0 : beside_->size()}; }
  /// Forgets what came after.
  void rewind(position to) {
    out_->resize(to.bytes);
    if (beside_ != nullptr) beside_->resize(to.attached);
  }

  bool attaches() const noexcept { return beside_ != nullptr; }
  void attach(std::shared_ptr<block> b) { beside_->push_back(std::move(b)); }

  void raw(const void* bytes, std::size_t n) { out_->append(bytes, n); }

  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    std::memcpy(out_->extend(sizeof(T)), &value, sizeof(T));
  }

  /// Seven bits to a byte, the lowest first; small numbers are short.
  void put_varint(std::uint64_t value) {
    std::byte bytes[10];
    std::size_t n = 0;
    for (; value >= 0x80; value >>= 7) bytes[n++] = static_cast<std::byte>(value | 0x80);
    bytes[n++] = static_cast<std::byte>(value);
    raw(bytes, n);
  }

  void put_string(const std::string& s) {
    put<std::uint64_t>(s.size());
    raw(s.data(), s.size());
  }

  /// Leaves room for a value that is known only later; fill it with patch().
  template <class T>
  std::size_t hole() {
    const std::size_t at = out_->size();
    out_->extend(sizeof(T));
    return at;
  }

  template <class T>
  void patch(std::size_t at, const T& value) {
    std::memcpy(out_->data() + at, &value, sizeof(T));
  }

  std::size_t size() const noexcept { return out_->size(); }
  byte_buffer& buffer() noexcept { return *out_; }

 private:
  byte_buffer* out_;
  attachments* beside_;
  keepers* kept_;
};

class byte_reader {
 public:
  using attachments = std::span<const std::shared_ptr<block>>;

  byte_reader(const std::byte* data, std::size_t size, attachments beside = {}) noexcept
      : at_(data), end_(data + size), beside_(beside) {}
  explicit byte_reader(const byte_buffer& b, attachments beside = {}) noexcept : byte_reader(b.data(), b.size(), beside) {}

  /// What was attached next. Throws serialization_error when nothing is left.
  const std::shared_ptr<block>& take_attachment() {
    if (beside_.empty()) throw serialization_error("message lacks what was to travel beside it");
    const auto& next = beside_.front();
    beside_ = beside_.subspan(1);
    return next;
  }

  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  /// The next n bytes, in place. Throws serialization_error when fewer are left.
  const std::byte* take(std::size_t n) {
    if (n > remaining()) truncated(n);
    return std::exchange(at_, at_ + n);
  }

  template <class T>
    requires std::is_trivially_copyable_v<T>
  T get() {
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
    throw serialization_error("a number of more than 64 bits in a message");
  }

  std::string get_string() {
    const std::size_t n = get_count(1);
    const std::byte* at = take(n);
    return {reinterpret_cast<const char*>(at), n};
  }

  /// A count of things of at least item_bytes each: refused before anything is allocated for it.
  std::size_t get_count(std::size_t item_bytes) {
    const auto n = get<std::uint64_t>();
    if (n > remaining() / item_bytes) truncated(n);
    return n;
  }

  /// A reader of the next n bytes alone, and of what is attached from here on.
  byte_reader sub(std::size_t n) { return {take(n), n, beside_}; }

  void expect_end() const {
    if (at_ != end_) throw serialization_error(std::to_string(remaining()) + " bytes too many in a message");
  }

 private:
  [[noreturn]] void truncated(std::uint64_t wanted) const {
    throw serialization_error("message ends too early: " + std::to_string(wanted) + " more expected, " +
                              std::to_string(remaining()) + " bytes left");
  }

  const std::byte* at_;
  const std::byte* end_;
  attachments beside_;
};

}  // namespace rankpool::detail

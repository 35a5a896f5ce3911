// Input ranges for map that record how many items were read, and on which thread.
#pragma once

#include <cstddef>
#include <iterator>
#include <thread>

namespace support {

/// A single-pass input range of the integers 0, 1 ... limit - 1. The default has no end.
class counted_source {
 public:
  static constexpr int endless = -1;

  explicit counted_source(int limit = endless) : limit_(limit) {}

  int taken() const { return taken_; }
  /// Returns whether only the thread that constructed the range has read it.
  bool read_by_owner_alone() const { return read_by_owner_alone_; }

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    explicit iterator(counted_source* source) : source_(source) {}
    iterator(iterator&&) = default;
    iterator& operator=(iterator&&) = default;

    int operator*() const { return source_->take(); }
    iterator& operator++() {
      source_->advance();
      return *this;
    }
    void operator++(int) { source_->advance(); }
    bool operator==(std::default_sentinel_t) const { return source_->ended(); }

   private:
    counted_source* source_ = nullptr;
  };

  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  int take() {
    note_thread();
    taken_ = next_ + 1;
    return next_;
  }
  void advance() {
    note_thread();
    ++next_;
  }
  bool ended() const { return next_ == limit_; }
  void note_thread() {
    if (std::this_thread::get_id() != owner_) read_by_owner_alone_ = false;
  }

  int limit_;
  int next_ = 0;
  int taken_ = 0;
  bool read_by_owner_alone_ = true;
  std::thread::id owner_ = std::this_thread::get_id();
};

}  // namespace support

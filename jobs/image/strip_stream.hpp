// A picture as a sequence of strips with halos, read from its first row to its last. Rows are dropped when no strip needs them.
//
// A strip_stream is also an input range that is read lazily while workers process earlier strips.
#pragma once

#include <cstddef>
#include <iterator>
#include <tuple>

#include "image/picture_reader.hpp"

namespace jobs {

class strip_stream {
 public:
  /// Creates a stream. Lifetime: `reader` must outlive the stream.
  strip_stream(picture_reader& reader, std::uint32_t rows, std::uint32_t halo) : reader_(reader), rows_(rows), halo_(halo) {}

  /// Reads the next strip. Returns false after the last, once the rest of the file proved complete. Throws: picture_error.
  bool next() {
    const picture_layout& layout = reader_.layout();
    const std::uint32_t first = started_ ? strip_.first + strip_.rows : 0;
    if (first == layout.height) return false;
    const strip_rows next = strip_rows::at(layout, first, rows_, halo_);
    const std::size_t row_bytes = layout.row_bytes();
    const std::size_t kept_rows = started_ ? read_rows_ - (next.first - next.above) : 0;
    const std::size_t kept_from = samples_.size() - kept_rows * row_bytes;
    strip_samples samples(next.stored_rows() * row_bytes);
    std::copy(samples_.begin() + static_cast<std::ptrdiff_t>(kept_from), samples_.end(), samples.begin());
    samples_ = std::move(samples);
    for (std::size_t y = kept_rows; y < next.stored_rows(); ++y, ++read_rows_) reader_.read_row(samples_.data() + y * row_bytes);
    if (read_rows_ == layout.height && !finished_) {
      reader_.finish();
      finished_ = true;
    }
    strip_ = next;
    started_ = true;
    return true;
  }

  const strip_rows& strip() const { return strip_; }
  const std::uint8_t* samples() const { return samples_.data(); }

  class iterator {
   public:
    using value_type = std::tuple<strip_rows, strip_samples>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(strip_stream& source) : source_(&source) { ++*this; }
    value_type operator*() const { return {source_->strip_, source_->samples_}; }
    iterator& operator++() {
      ended_ = !source_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return ended_; }

   private:
    strip_stream* source_ = nullptr;
    bool ended_ = false;
  };

  /// Reads the first strip and returns an iterator to it.
  iterator begin() { return iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  picture_reader& reader_;
  std::uint32_t rows_;
  std::uint32_t halo_;
  strip_rows strip_;
  strip_samples samples_;
  std::uint32_t read_rows_ = 0;  // rows of the picture read so far; samples_ ends with the last of them
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace jobs

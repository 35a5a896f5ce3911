// A file or pipe as a lazy range of blocks of whole lines. A block is large enough for a task; many blocks fit into memory.
//
// Use it with .buffersize, so that only the blocks in flight are in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace jobs {

struct line_block {
  std::uint64_t first_line = 1;  // line number in the input, for messages
  std::string text;              // whole lines; the last one may lack its line end

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& first_line& text;
  }
};

/// Calls `visit(line, number)` for every non-empty line of a block, without leading and trailing blanks.
template <class Visit>
void for_each_line(const line_block& block, Visit visit) {
  constexpr std::string_view blanks = " \t\r";
  std::string_view rest = block.text;
  for (std::uint64_t number = block.first_line; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty()) continue;
    line = line.substr(0, line.find_last_not_of(blanks) + 1);
    visit(line, number);
  }
}

/// An input range over a descriptor that the caller keeps open. It can be iterated once. Skips a UTF-8 byte order mark at the
/// beginning.
class line_blocks {
 public:
  /// A block ends when it has this many bytes. It has at least one whole line.
  static constexpr std::size_t most_bytes = 64 * 1024;
  /// Returns the computational cost of a line, for instance its length. A block also ends at `most_cost`.
  using cost_of_line = double (*)(std::string_view line);

  line_blocks(int descriptor, std::string name, cost_of_line cost, double most_cost);

  class iterator {
   public:
    using value_type = line_block;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(line_blocks& source) : source_(&source) {}
    const line_block& operator*() const { return source_->block_; }
    iterator& operator++() {
      source_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return source_->ended_; }

   private:
    line_blocks* source_ = nullptr;
  };

  /// Reads the first block. Throws: std::system_error, also from the iterator's ++; usage_error if the input is UTF-16.
  iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  void advance();    // reads the next block, or sets ended_
  bool read_more();  // appends to unread_; returns false at the end of the input
  int descriptor_;
  std::string name_;
  cost_of_line cost_;
  double most_cost_;
  std::string unread_;
  std::size_t position_ = 0;  // of the first byte in unread_ that is not yet in a block
  bool input_ended_ = false;
  bool ended_ = false;
  std::uint64_t next_line_ = 1;
  line_block block_;
};

}  // namespace jobs

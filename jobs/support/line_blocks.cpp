#include "support/line_blocks.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "support/usage_error.hpp"

namespace jobs {
namespace {

/// Returns the first line of the input without a UTF-8 byte order mark. Throws: usage_error for UTF-16.
std::string_view without_byte_order_mark(std::string_view line, const std::string& input) {
  if (line.starts_with("\xff\xfe") || line.starts_with("\xfe\xff"))
    throw usage_error(input + " is UTF-16 text; convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8");
  constexpr std::string_view utf_8_mark = "\xef\xbb\xbf";
  return line.starts_with(utf_8_mark) ? line.substr(utf_8_mark.size()) : line;
}

}  // namespace

line_blocks::line_blocks(int descriptor, std::string name, cost_of_line cost, double most_cost)
    : descriptor_(descriptor), name_(std::move(name)), cost_(cost), most_cost_(most_cost) {}

line_blocks::iterator line_blocks::begin() {
  advance();
  return iterator(*this);
}

void line_blocks::advance() {
  block_.first_line = next_line_;
  block_.text.clear();
  double cost = 0;
  while (block_.text.size() < most_bytes && cost < most_cost_) {
    const std::size_t end = unread_.find('\n', position_);
    if (end == std::string::npos && read_more()) continue;
    const std::size_t next = end == std::string::npos ? unread_.size() : end + 1;
    if (next == position_) break;  // no input is left
    std::string_view line(&unread_[position_], next - position_);
    if (next_line_ == 1) line = without_byte_order_mark(line, name_);
    block_.text += line;
    cost += cost_(line);
    position_ = next;
    ++next_line_;
  }
  ended_ = block_.text.empty();
}

bool line_blocks::read_more() {
  if (input_ended_) return false;
  unread_.erase(0, std::exchange(position_, 0));
  const std::size_t held = unread_.size();
  unread_.resize(held + std::max(most_bytes, held));  // doubles the buffer, so that a long line is not copied repeatedly
  ssize_t got;
  do {
    got = ::read(descriptor_, &unread_[held], unread_.size() - held);
  } while (got < 0 && errno == EINTR);
  unread_.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) throw std::system_error(errno, std::generic_category(), "cannot read " + name_);
  input_ended_ = got == 0;
  return !input_ended_;
}

}  // namespace jobs

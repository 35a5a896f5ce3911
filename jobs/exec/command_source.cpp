#include "exec/command_source.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "support/usage_error.hpp"

namespace jobs {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == line.npos; }
bool is_comment(std::string_view line) { return line[line.find_first_not_of(" \t")] == '#'; }

}  // namespace

line_source::line_source(int descriptor, std::string name, command_template form, char separator,
                         std::shared_ptr<const column_separator> columns)
    : descriptor_(descriptor),
      name_(std::move(name)),
      form_(std::move(form)),
      separator_(separator),
      columns_(std::move(columns)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (stop_ < 0) throw std::system_error(errno, std::generic_category(), "cannot read " + name_);
}

line_source::~line_source() { ::close(stop_); }

void line_source::stop() {
  const std::uint64_t one = 1;
  (void)!::write(stop_, &one, sizeof one);
}

std::optional<command> line_source::next() {
  std::array<std::string, 1> line;
  while (next_line(line[0])) {
    if (is_blank(line[0]) || (form_.is_empty() && is_comment(line[0]))) continue;
    if (columns_ != nullptr) return form_.fill(columns_->split(line), ++sequence_);
    return form_.fill(line, ++sequence_);
  }
  return std::nullopt;
}

bool line_source::next_line(std::string& line) {
  for (std::size_t searched = 0;;) {
    const std::size_t end = unread_.find(separator_, position_ + searched);
    const std::size_t length = std::min(end, unread_.size()) - position_;
    if (length > longest_line_bytes) {
      throw usage_error(name_ + ": line " + std::to_string(lines_ + 1) + " is longer than 4 MiB, the limit for a command");
    }
    if (end == std::string::npos) {
      searched = unread_.size() - position_;
      if (read_more()) continue;
      if (!input_ended_ || length == 0) return false;
    }
    line.assign(unread_, position_, length);
    position_ += length + (end == std::string::npos ? 0 : 1);
    if (lines_++ == 0 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // a UTF-8 byte order mark
    if (separator_ == '\n' && line.ends_with('\r')) line.pop_back();
    return true;
  }
}

bool line_source::read_more() {
  if (input_ended_) return false;
  unread_.erase(0, std::exchange(position_, 0));
  std::array<pollfd, 2> waiting{pollfd{descriptor_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
  }
  if (waiting[0].revents == 0) return false;  // stopped; if there is input, including the end of a file, it is still read
  const std::size_t held = unread_.size();
  unread_.resize(held + read_bytes);
  ssize_t got;
  do {
    got = ::read(descriptor_, &unread_[held], read_bytes);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  unread_.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) throw std::system_error(error, std::generic_category(), "cannot read " + name_);
  input_ended_ = got == 0;
  return !input_ended_;
}

product_source::product_source(std::vector<std::vector<std::string>> lists, command_template form,
                               std::shared_ptr<const column_separator> columns)
    : lists_(std::move(lists)), form_(std::move(form)), columns_(std::move(columns)), place_(lists_.size()) {
  ended_ = lists_.empty() || std::ranges::any_of(lists_, [](const auto& list) { return list.empty(); });
}

std::optional<command> product_source::next() {
  if (ended_) return std::nullopt;
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < lists_.size(); ++i) chosen.push_back(lists_[i][place_[i]]);
  std::size_t list = lists_.size();
  while (list > 0 && ++place_[list - 1] == lists_[list - 1].size()) place_[--list] = 0;
  ended_ = list == 0;
  if (columns_ != nullptr) chosen = columns_->split(chosen);
  return form_.fill(chosen, ++sequence_);
}

std::uint64_t product_source::size() const {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t product = lists_.empty() ? 0 : 1;
  for (const auto& list : lists_) {
    if (list.empty()) return 0;
    product = product > most / list.size() ? most : product * list.size();
  }
  return product;
}

}  // namespace jobs

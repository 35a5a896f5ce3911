// Produces commands one at a time, without storing a list of all: from the lines of a file or a pipe, or from the combinations of
// the lists on the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exec/column_separator.hpp"
#include "exec/command.hpp"
#include "exec/command_template.hpp"

namespace jobs {

class command_source {
 public:
  command_source() = default;
  command_source(const command_source&) = delete;
  command_source& operator=(const command_source&) = delete;
  virtual ~command_source() = default;

  /// Returns the next command; empty if there are no more or stop() was called. Blocks: while the input provides no data. Throws:
  /// std::system_error, usage_error.
  virtual std::optional<command> next() = 0;
  /// Makes a blocked next() return. Thread safety: any thread.
  virtual void stop() {}
  /// Returns whether next() returned empty because the input has ended.
  virtual bool is_exhausted() const = 0;
};

/// Reads lines: each is a command, or the arguments of a template. Skips blank lines, and comments (#) if lines are commands. CR
/// LF ends a line like LF; the last line needs no line end.
class line_source : public command_source {
 public:
  /// Reads from `descriptor`, which the caller keeps open. `separator` ends a line. `columns` splits a line into several arguments
  /// of the template; null: a line is one argument. Throws: std::system_error.
  line_source(int descriptor, std::string name, command_template form, char separator = '\n',
              std::shared_ptr<const column_separator> columns = nullptr);
  ~line_source() override;

  std::optional<command> next() override;
  void stop() override;
  bool is_exhausted() const override { return input_ended_ && position_ == unread_.size(); }

  static constexpr std::size_t longest_line_bytes = std::size_t{4} << 20;  // longer than the system accepts as an argument

 private:
  bool next_line(std::string& line);
  bool read_more();

  int descriptor_;
  std::string name_;
  command_template form_;
  char separator_;
  std::shared_ptr<const column_separator> columns_;
  int stop_ = -1;  // an eventfd that wakes next()
  std::string unread_;
  std::size_t position_ = 0;
  bool input_ended_ = false;
  std::uint64_t lines_ = 0;
  std::uint64_t sequence_ = 0;
};

/// Produces all combinations of one argument from each list; the last list varies fastest.
class product_source : public command_source {
 public:
  /// `columns` splits arguments as in line_source.
  product_source(std::vector<std::vector<std::string>> lists, command_template form,
                 std::shared_ptr<const column_separator> columns = nullptr);

  std::optional<command> next() override;
  bool is_exhausted() const override { return ended_; }
  /// Returns the number of combinations, limited to the largest std::uint64_t.
  std::uint64_t size() const;

 private:
  std::vector<std::vector<std::string>> lists_;
  command_template form_;
  std::shared_ptr<const column_separator> columns_;
  std::vector<std::size_t> place_;
  bool ended_ = false;
  std::uint64_t sequence_ = 0;
};

}  // namespace jobs

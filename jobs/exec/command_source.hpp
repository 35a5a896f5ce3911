// Where commands come from, one at a time, so that no list of them is ever held: lines of a file or a pipe, or all choices
// from the lists on the command line.
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

  /// Nothing: there are no more, or stop() was called. Blocks: while the input has nothing to give.
  /// Throws: std::system_error, usage_error.
  virtual std::optional<command> next() = 0;
  /// Makes a next() that waits return. Thread safety: any thread.
  virtual void stop() {}
  /// Whether next() has returned nothing because there are no more commands.
  virtual bool is_exhausted() const = 0;
};

/// A line is a command, or what fills a template. Blank lines are passed over, and so are comments (#) among commands; CR LF
/// ends a line as LF does, and the last one needs no end.
class line_source : public command_source {
 public:
  /// The caller keeps `descriptor` open. `separator`: what ends a line. `columns`: a line is so many arguments of the template;
  /// null: it is one. Throws: std::system_error.
  line_source(int descriptor, std::string name, command_template form, char separator = '\n',
              std::shared_ptr<const column_separator> columns = nullptr);
  ~line_source() override;

  std::optional<command> next() override;
  void stop() override;
  bool is_exhausted() const override { return input_ended_ && position_ == unread_.size(); }

  static constexpr std::size_t longest_line_bytes = std::size_t{4} << 20;  // more than the system takes for an argument

 private:
  bool next_line(std::string& line);
  bool read_more();

  int descriptor_;
  std::string name_;
  command_template form_;
  char separator_;
  std::shared_ptr<const column_separator> columns_;
  int stop_ = -1;  // an eventfd
  std::string unread_;
  std::size_t position_ = 0;
  bool input_ended_ = false;
  std::uint64_t lines_ = 0;
  std::uint64_t sequence_ = 0;
};

/// All choices of one from each list, the last list changing fastest.
class product_source : public command_source {
 public:
  /// `columns`: as for lines.
  product_source(std::vector<std::vector<std::string>> lists, command_template form,
                 std::shared_ptr<const column_separator> columns = nullptr);

  std::optional<command> next() override;
  bool is_exhausted() const override { return ended_; }
  /// How many there are in all; the largest number there is if it is more.
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

// Splits arguments into columns, as --colsep says.
#pragma once

#include <regex.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace jobs {

/// A string or a POSIX extended regular expression. It also knows the escapes \t \n \r \f \v \d \s \w \D \S \W.
class column_separator {
 public:
  /// Throws: usage_error for a pattern that is empty, cannot be read, or matches the empty string.
  explicit column_separator(const std::string& pattern);

  /// The columns of all arguments, one argument after the other, without blanks around them. There may be empty columns.
  std::vector<std::string> split(std::span<const std::string> arguments) const;

 private:
  struct freed {
    void operator()(regex_t* expression) const;
  };

  std::string text_;                           // of a separator that is no expression
  std::unique_ptr<regex_t, freed> expression_;  // null: text_ is the separator
};

}  // namespace jobs

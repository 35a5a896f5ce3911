// Splits arguments into columns for --colsep.
#pragma once

#include <regex.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace jobs {

/// A separator: a string or a POSIX extended regular expression, with the additional escapes \t \n \r \f \v \d \s \w \D \S \W.
class column_separator {
 public:
  /// Compiles the pattern. Throws: usage_error if it is empty, malformed or matches the empty string.
  explicit column_separator(const std::string& pattern);

  /// Returns the columns of all arguments in order, without surrounding blanks. Columns may be empty.
  std::vector<std::string> split(std::span<const std::string> arguments) const;

 private:
  struct freed {
    void operator()(regex_t* expression) const;
  };

  std::string text_;                            // the separator, if it is a plain string
  std::unique_ptr<regex_t, freed> expression_;  // null: text_ is the separator
};

}  // namespace jobs

// A command with placeholders for arguments, {} and its variants as in GNU parallel.
//
// Separate words remain separate: arguments are inserted into an argument list, where no character is special. If the template is
// a single word with shell syntax, a shell runs it with quoted arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/command.hpp"

namespace jobs {

class command_template {
 public:
  /// Without words, each argument is a command line. Without a placeholder, arguments are appended.
  explicit command_template(std::vector<std::string> words = {});

  bool is_empty() const { return words_.empty(); }
  /// Returns the first placeholder that refers to a list beyond `lists`, such as {3} with two lists; empty if there is none.
  std::string place_beyond(std::size_t lists) const;

  /// Returns the command for a combination of arguments, one from each list.
  command fill(std::span<const std::string> arguments, std::uint64_t sequence) const;

 private:
  std::vector<std::string> words_;
  bool by_shell_ = false;
};

/// Returns `text` as a word of a POSIX shell, quoted if necessary.
std::string shell_quoted(std::string_view text);

}  // namespace jobs

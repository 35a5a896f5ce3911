// A command with places for arguments, {} and its kin as GNU parallel has them, and what fills them.
//
// Words that are given apart stay apart: arguments go into an argument list, where no character means anything. A template
// of a single word that reads like shell is given to a shell, its arguments quoted.
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
  /// No words: each argument is a command line itself. Without a place for arguments they go to the end.
  explicit command_template(std::vector<std::string> words = {});

  bool is_empty() const { return words_.empty(); }
  /// The first place that is of none of so many lists, as {3} with two; empty if there is none.
  std::string place_beyond(std::size_t lists) const;

  /// The command for one choice of arguments, one from each list.
  command fill(std::span<const std::string> arguments, std::uint64_t sequence) const;

 private:
  std::vector<std::string> words_;
  bool by_shell_ = false;
};

/// `text` as a word of a POSIX shell: as it is where that is safe, else in quotes.
std::string shell_quoted(std::string_view text);

}  // namespace jobs

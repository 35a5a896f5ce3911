// The command line of `rankpool`: which subcommand it chooses, with which options.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/job.hpp"

namespace jobs {

/// What to do instead of running a subcommand: print a text and exit.
struct command_line_answer {
  int status = 0;
  std::string text;  // --help, --version: for stdout; an error: one line for stderr
};

class command_line {
 public:
  /// Declares all subcommands.
  command_line();
  ~command_line();
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  /// Parses the words after the name of the program. Returns true if a subcommand is to be run, and false if answer() is to be
  /// printed.
  bool parse(std::vector<std::string> words);
  const command_line_answer& answer() const;

  /// The name of the chosen subcommand; empty if there is none.
  const std::string& name() const;
  const run_settings& settings() const;
  /// The chosen subcommand, as a job or as a local command; the other one is null.
  jobs::job* chosen_job() const;
  jobs::local_command* chosen_command() const;
  /// A JSON object with the values of all options of the chosen subcommand.
  std::string parameters() const;
  /// The identity of the run for a journal.
  std::string subject() const;
  /// Checks what can be known before the run starts. Throws: usage_error.
  void check() const;

 private:
  struct implementation;
  std::unique_ptr<implementation> all_;
};

}  // namespace jobs

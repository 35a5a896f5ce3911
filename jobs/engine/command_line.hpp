// Parses the command line of `rankpool`: the chosen subcommand and its options.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/job.hpp"

namespace jobs {

/// The output of a command line that runs no subcommand.
struct command_line_answer {
  int status = 0;
  std::string text;  // --help, --version: text for stdout; error: one line for stderr
};

class command_line {
 public:
  /// Declares all subcommands.
  command_line();
  ~command_line();
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  /// Parses the words after the program name. Returns true if a subcommand is to be run, and false if
  /// answer() is to be printed.
  bool parse(std::vector<std::string> words);
  const command_line_answer& answer() const;

  /// Returns the name of the chosen subcommand; empty if there is none.
  const std::string& name() const;
  const run_settings& settings() const;
  /// Return the chosen subcommand as a job or as a local command; the other function returns null.
  jobs::job* chosen_job() const;
  jobs::local_command* chosen_command() const;
  /// Returns a JSON object with the values of all options of the chosen subcommand.
  std::string parameters() const;
  /// Returns the identity of the run for a journal.
  std::string subject() const;
  /// Performs all checks that are possible before the run starts. Throws: usage_error.
  void check() const;
  /// Checks the files that describe the run, --trace, --report and --status, before the run creates them. Throws: usage_error.
  void check_descriptions() const;
  /// Returns the file for the trace of the run: --trace, or one beside --report, which is removed after the page is written; empty
  /// if there is none.
  std::string trace_file() const;

 private:
  struct implementation;
  std::unique_ptr<implementation> all_;
};

}  // namespace jobs

// A command as it travels to a worker, what comes back, and the task between the two.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace jobs {

struct command {
  std::uint64_t sequence = 0;      // from 1, in the order of the input
  std::vector<std::string> words;  // an argument list; one line of shell if by_shell
  bool by_shell = false;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& sequence& words& by_shell;
  }
};

/// What holds for all commands of a run.
struct command_limits {
  double timeout_seconds = 0;  // then the command's process group is ended; 0: never
  std::uint64_t halting = 0;   // not 0: a worker on which a command of this run has failed runs no more of them
  int tries = 1;               // most runs of a command that goes on failing; the last one counts

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& timeout_seconds& halting& tries;
  }
};

struct command_outcome {
  std::string out;
  std::string err;
  std::string host;
  int rank = 0;
  double start = 0;  // seconds since 1970
  double seconds = 0;
  int status = 0;  // of exit(); 127 not found, 126 not executable, as a shell has it; -1 after a timeout
  int signal = 0;  // that ended it
  int tries = 1;   // this was the last of
  bool timed_out = false;
  bool was_run = true;     // not if the worker had halted
  bool explained = false;  // `err` ends with a line of ours that says why it failed

  bool failed() const { return status != 0 || signal != 0; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& out& err& host& rank& start& seconds& status& signal& tries& timed_out& was_run& explained;
  }
};

/// Runs a command to its end, again if it fails and may. Throws what keeps this process from running commands at all.
command_outcome run_command(const command_limits& limits, const command& what);

/// What came of a command that has failed, or was not run.
struct failed_command : std::runtime_error {
  failed_command() : std::runtime_error("a command failed") {}
  failed_command(const command& what, command_outcome of);

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& outcome;
  }

  command_outcome outcome;
};

/// The task: as above. Throws also failed_command, so that a journal has the command run again.
command_outcome run_command_or_throw(const command_limits& limits, const command& what);

/// The words of `line` if a shell would do no more than split it at blanks and start the program; else nothing.
std::vector<std::string> plain_words(const std::string& line);

/// As one would type it into a shell.
std::string command_text(const command& what);

/// Which command failed, and how.
std::string failure_text(const command& what, const command_outcome& outcome);

/// Adds a line to `text`, whose last one may lack its end.
void add_line(std::string& text, const std::string& line);

}  // namespace jobs

// A command as it travels to a worker, what comes back, and the task between the two.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace jobs {

/// A place in the words of a command where the slot of its worker belongs: {%}.
struct slot_place {
  std::uint32_t word = 0;
  std::uint32_t offset = 0;  // in bytes

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& word& offset;
  }
};

struct command {
  std::uint64_t sequence = 0;      // from 1, in the order of the input; stays on rank 0
  std::vector<std::string> words;  // an argument list; one line of shell if by_shell
  bool by_shell = false;
  std::vector<slot_place> slots{};  // in the order of their places

  /// What the result depends on: a journal tells commands apart by these bytes.
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& words& by_shell& slots;
  }
};

/// Returns the words of the command with `slot` in the places of the slot.
std::vector<std::string> words_with_slot(const command& what, const std::string& slot);

/// Limits of all commands of a run. They do not travel with a command: its result does not depend on them.
struct command_limits {
  double timeout_seconds = 0;      // then the command's process group is ended; 0: never
  int tries = 1;                   // most runs of a command that goes on failing; the last one counts
  std::uint64_t max_failures = 0;  // after so many failed commands a worker runs no more of them; 0: never

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& timeout_seconds& tries& max_failures;
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
  bool was_run = true;      // false: too many commands had failed on its worker
  std::string ended_by_us;  // why exec could not start the command or ended it; empty: neither

  bool failed() const { return status != 0 || signal != 0; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& out& err& host& rank& start& seconds& status& signal& tries& timed_out& was_run& ended_by_us;
  }
};

/// Runs a command to its end, again if it fails and may. Throws what keeps this process from running commands at all.
command_outcome run_command(const command_limits& limits, const command& what);

/// Sets the limits of commands that this worker runs from now on, and counts failures anew.
void set_command_limits(const command_limits& limits);

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

/// The task: runs a command within the worker's limits. Throws also failed_command, so that a journal has the command run again.
command_outcome run_command_or_throw(const command& what);

/// The words of `line` if a shell would do no more than split it at blanks and start the program; else nothing.
std::vector<std::string> plain_words(const std::string& line);

/// As one would type it into a shell.
std::string command_text(const command& what);

/// How a command has failed, without its number: "failed with status 3: ...".
std::string failure_text(const command& what, const command_outcome& outcome);

/// Adds a line to `text`, whose last one may lack its end.
void add_line(std::string& text, const std::string& line);

}  // namespace jobs

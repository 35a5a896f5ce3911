// A command as it is sent to a worker, its outcome, and the task that runs it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace jobs {

/// A position in the words of a command at which the slot of its worker is inserted: {%}.
struct slot_place {
  std::uint32_t word = 0;
  std::uint32_t offset = 0;  // in bytes from the beginning of the word

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& word& offset;
  }
};

struct command {
  std::uint64_t sequence = 0;      // number of the command in the input, from 1; it stays on rank 0
  std::vector<std::string> words;  // an argument list; a single line of shell if by_shell is true
  bool by_shell = false;
  std::vector<slot_place> slots{};  // in the order of their positions

  /// Serializes what the result depends on: a journal identifies a command by these bytes.
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& words& by_shell& slots;
  }
};

/// Returns the words of the command with `slot` inserted at each slot_place.
std::vector<std::string> words_with_slot(const command& what, const std::string& slot);

/// Limits of all commands of a run. They are not part of a command, because its result does not depend on them.
struct command_limits {
  double timeout_seconds = 0;      // timeout, after which the command's process group is terminated; 0: none
  int tries = 1;                   // most runs of a command that fails each time; the last run counts
  std::uint64_t max_failures = 0;  // after this many failed commands, a worker skips further commands; 0: no limit

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
  int status = 0;  // exit status; 127: not found, 126: not executable, as in a shell; -1: timeout
  int signal = 0;  // signal that ended the command
  int tries = 1;   // number of runs of the command; the outcome is that of the last
  bool timed_out = false;
  bool was_run = true;      // false: skipped, because too many commands had failed on its worker
  std::string ended_by_us;  // why exec could not start the command or terminated it; empty: neither

  bool failed() const { return status != 0 || signal != 0; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& out& err& host& rank& start& seconds& status& signal& tries& timed_out& was_run& ended_by_us;
  }
};

/// Runs a command, and repeats it within the limits if it fails. Throws: errors that prevent this process from running any command.
command_outcome run_command(const command_limits& limits, const command& what);

/// Sets the limits for the following commands of this worker, and resets its count of failures.
void set_command_limits(const command_limits& limits);

/// The exception for a command that failed or was skipped.
struct failed_command : std::runtime_error {
  failed_command() : std::runtime_error("a command failed") {}
  failed_command(const command& what, command_outcome of);

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& outcome;
  }

  command_outcome outcome;
};

/// The task: runs a command within the worker's limits. Throws: failed_command, so that a journal does not store the result.
command_outcome run_command_or_throw(const command& what);

/// Returns the words of `line` if a shell would only split it at blanks and start the program; otherwise empty.
std::vector<std::string> plain_words(const std::string& line);

/// Returns the command as it would be typed into a shell.
std::string command_text(const command& what);

/// Returns how a command failed, without its number: "failed with status 3: ...".
std::string failure_text(const command& what, const command_outcome& outcome);

/// Appends a line to `text`. Completes the last line of `text` first, if it has no line end.
void add_line(std::string& text, const std::string& line);

}  // namespace jobs

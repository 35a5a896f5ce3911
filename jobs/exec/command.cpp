#include "exec/command.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <mutex>
#include <rankpool/rankpool.hpp>
#include <string_view>
#include <utility>

#include "exec/command_template.hpp"
#include "exec/environment.hpp"
#include "exec/process.hpp"
#include "support/in_quotes.hpp"

namespace jobs {
namespace {

// Builtins and keywords of POSIX shells, dash and bash, except `true` and `false`, which behave like the programs. Sorted.
constexpr auto words_of_shells = std::to_array<std::string_view>(
    {".",       ":",       "alias",    "bg",      "bind",     "break",   "builtin", "caller", "case",   "cd",        "chdir",
     "command", "compgen", "complete", "compopt", "continue", "coproc",  "declare", "dirs",   "disown", "do",        "done",
     "echo",    "elif",    "else",     "enable",  "esac",     "eval",    "exec",    "exit",   "export", "fc",        "fg",
     "fi",      "for",     "function", "getopts", "hash",     "help",    "history", "if",     "in",     "jobs",      "kill",
     "let",     "local",   "logout",   "mapfile", "popd",     "printf",  "pushd",   "pwd",    "read",   "readarray", "readonly",
     "return",  "select",  "set",      "shift",   "shopt",    "source",  "suspend", "test",   "then",   "time",      "times",
     "trap",    "type",    "typeset",  "ulimit",  "umask",    "unalias", "unset",   "until",  "wait",   "while"});
static_assert(std::ranges::is_sorted(words_of_shells));

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./,:+-@% \t").find(c) != std::string_view::npos;
}

process_result run_words(const command& what, double timeout) {
  const std::vector<std::string> arguments = words_with_slot(what, std::to_string(worker_slot()));
  if (!what.by_shell) {
    process_result result = run_process(arguments, timeout);
    // A script without a #! line: a shell would interpret it, so this starts a shell.
    if (result.not_started == ENOEXEC) {
      std::vector<std::string> helped{"/bin/sh", "-c", "\"$@\"", "sh"};
      helped.insert(helped.end(), arguments.begin(), arguments.end());
      return run_process(helped, timeout);
    }
    return result;
  }
  const std::string& line = arguments.front();
  if (const std::vector<std::string> words = plain_words(line); !words.empty()) {
    // If the program cannot be started, the shell runs the line, because the shell prints the error message.
    if (process_result result = run_process(words, timeout); result.not_started == 0) return result;
  }
  return run_process({"/bin/sh", "-c", line}, timeout);
}

std::string timeout_text(double seconds) {
  std::string text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::vector<std::string> plain_words(const std::string& line) {
  if (!std::ranges::all_of(line, is_plain)) return {};
  std::vector<std::string> words;
  for (std::size_t at = line.find_first_not_of(" \t"); at != std::string::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  if (words.empty() || std::ranges::binary_search(words_of_shells, std::string_view(words.front()))) return {};
  return words;
}

std::vector<std::string> words_with_slot(const command& what, const std::string& slot) {
  std::vector<std::string> words = what.words;
  for (auto place = what.slots.rbegin(); place != what.slots.rend(); ++place) words.at(place->word).insert(place->offset, slot);
  return words;
}

std::string command_text(const command& what) {
  const std::vector<std::string> words = words_with_slot(what, "{%}");
  if (what.by_shell) return words.front();
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += shell_quoted(word);
  }
  return text;
}

std::string failure_text(const command& what, const command_outcome& outcome) {
  if (!outcome.ended_by_us.empty()) return outcome.ended_by_us;
  std::string text = command_text(what);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  const std::string how = !outcome.was_run      ? "was not run because others failed"
                          : outcome.signal != 0 ? "was ended by signal " + std::to_string(outcome.signal)
                                                : "failed with status " + std::to_string(outcome.status);
  return how + ": " + shortened(text, 80);
}

failed_command::failed_command(const command& what, command_outcome of)
    : std::runtime_error(failure_text(what, of)), outcome(std::move(of)) {}

RANKPOOL_REGISTER_EXCEPTION(failed_command)

void add_line(std::string& text, const std::string& line) {
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  text += line + '\n';
}

namespace {

command_outcome run_once(const command_limits& limits, const command& what) {
  command_outcome outcome;
  outcome.host = rankpool::this_worker::host();
  outcome.rank = rankpool::this_worker::rank();
  process_result result = run_words(what, limits.timeout_seconds);
  outcome.out = std::move(result.out);
  outcome.err = std::move(result.err);
  outcome.start = result.start;
  outcome.seconds = result.seconds;
  outcome.status = result.status;
  outcome.signal = result.signal;
  outcome.timed_out = result.timed_out;

  if (result.not_started != 0) {
    outcome.status = result.not_started == ENOENT ? 127 : 126;
    const bool holds_nul = std::ranges::any_of(what.words, [](const std::string& word) { return word.find('\0') != word.npos; });
    const std::string reason = holds_nul ? "an argument contains a NUL byte" : std::strerror(result.not_started);
    outcome.ended_by_us = "cannot be started: " + (what.by_shell || holds_nul ? "" : what.words.front() + ": ") + reason;
  }
  if (result.timed_out) {
    outcome.status = -1;
    outcome.ended_by_us = "was ended after " + timeout_text(limits.timeout_seconds) + " s (--timeout)";
  }
  if (result.too_much) outcome.ended_by_us = "was ended because it printed more than 1 GiB; redirect its output to a file";
  return outcome;
}

// The state of this worker. Threads of an inline cluster may run tasks concurrently; the mutex serializes them.
std::mutex worker_mutex;
command_limits worker_limits;
std::uint64_t worker_failures = 0;

}  // namespace

command_outcome run_command(const command_limits& limits, const command& what) {
  command_outcome outcome;
  int tries = 0;
  do {
    outcome = run_once(limits, what);
    outcome.tries = ++tries;
  } while (outcome.failed() && tries < limits.tries);
  return outcome;
}

void set_command_limits(const command_limits& limits) {
  const std::lock_guard lock(worker_mutex);
  worker_limits = limits;
  worker_failures = 0;
}

command_outcome run_command_or_throw(const command& what) {
  const std::lock_guard lock(worker_mutex);
  command_outcome outcome;
  outcome.was_run = worker_limits.max_failures == 0 || worker_failures < worker_limits.max_failures;
  if (outcome.was_run) outcome = run_command(worker_limits, what);
  if (outcome.failed()) ++worker_failures;
  if (outcome.failed() || !outcome.was_run) throw failed_command(what, std::move(outcome));
  return outcome;
}

}  // namespace jobs

// A command farm: runs lines of a file or of stdin, or one command per argument, as GNU parallel does, on the workers of all
// nodes. Prints the output of each command as a whole, in the order of the input.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/job.hpp"
#include "exec/column_separator.hpp"
#include "exec/command.hpp"
#include "exec/command_source.hpp"
#include "exec/command_template.hpp"
#include "exec/farm.hpp"
#include "exec/ordered_output.hpp"
#include "exec/records.hpp"
#include "support/input.hpp"

namespace jobs {
namespace {

struct exec_options {
  std::vector<std::string> form;                // COMMAND with its placeholders; empty: each argument is a command
  std::vector<std::vector<std::string>> lists;  // the argument lists

  std::string file;
  bool as_completed = false;
  bool dry_run = false;
  bool halt_on_error = false;
  bool null = false;
  std::string column_pattern;  // empty: --colsep was not given
  std::optional<double> timeout_seconds;
  std::optional<double> delay_seconds;
  int retries = 0;
  std::string log;
  std::string results;
};

const std::string list_mark = ":::";

/// Divides the words after the options into a command and lists. Throws: usage_error.
void divide_tail(const std::vector<std::string>& tail, exec_options& chosen) {
  auto word = tail.begin();
  if (word != tail.end() && *word == "--") ++word;
  for (; word != tail.end(); ++word) {
    if (*word == list_mark) {
      chosen.lists.emplace_back();
    } else if (word->starts_with(list_mark) && word->find_first_not_of(":+") == std::string::npos) {
      throw usage_error("'" + *word + "' is not supported; an argument list follows '" + list_mark + "'");
    } else {
      (chosen.lists.empty() ? chosen.form : chosen.lists.back()).push_back(*word);
    }
  }
}

std::shared_ptr<const column_separator> columns_of(const exec_options& chosen) {
  return chosen.column_pattern.empty() ? nullptr : std::make_shared<column_separator>(chosen.column_pattern);
}

/// Checks the placeholders. Throws: usage_error if COMMAND refers to an argument list that is not given. With --colsep, every line
/// has its own number of columns, and a placeholder for a missing column is empty.
void check_places(const exec_options& chosen) {
  if (!chosen.column_pattern.empty()) return;
  const std::size_t lists = std::max<std::size_t>(chosen.lists.size(), 1);
  const std::string place = command_template(chosen.form).place_beyond(lists);
  if (place.empty()) return;
  throw usage_error(place + " refers to argument list " + std::to_string(std::stoll(place.substr(1))) + ", but only " +
                    std::to_string(lists) + (lists == 1 ? " was" : " were") + " given");
}

input_options input_of(const exec_options& chosen) { return {chosen.file, "FILE"}; }
output_options log_of(const exec_options& chosen, const run_settings& settings) {
  return {.path = chosen.log, .force = settings.output.force, .option = "--log", .journal = settings.output.journal};
}
output_options results_of(const exec_options& chosen, const run_settings& settings) {
  return {.path = chosen.results, .force = settings.output.force, .option = "--results", .journal = settings.output.journal};
}

// The source of the commands.
class commands {
 public:
  explicit commands(const exec_options& chosen) {
    const command_template form(chosen.form);
    const auto columns = columns_of(chosen);
    if (!chosen.lists.empty()) {
      auto product = std::make_unique<product_source>(chosen.lists, form, columns);
      size_ = product->size();
      source_ = std::move(product);
      return;
    }
    const input_options from = input_of(chosen);
    input_.emplace(from);
    source_ = std::make_unique<line_source>(input_->descriptor(), from.name(), form, chosen.null ? '\0' : '\n', columns);
  }

  command_source& source() { return *source_; }
  std::uint64_t size() const { return size_; }

 private:
  std::optional<input> input_;
  std::uint64_t size_ = 0;  // number of commands; 0: unknown
  std::unique_ptr<command_source> source_;
};

void print_commands(command_source& source, output& out) {
  while (const auto what = source.next()) out.print(command_text(*what), '\n');
}

/// Returns the exit status, as in GNU parallel, except that 75 becomes 76: 75 means stopped early and resumable.
int exit_status(std::uint64_t failed) { return failed == 75 ? 76 : static_cast<int>(std::min<std::uint64_t>(failed, 101)); }

// Sends the output of commands to its destinations, and counts commands and failures.
class collector {
 public:
  collector(job_run& run, const exec_options& chosen) : run_(run), chosen_(chosen), out_(run.out()) {
    if (!chosen.log.empty()) log_.emplace(run, log_of(chosen, run.settings())).print(log_header());
    if (!chosen.results.empty()) results_.emplace(run, results_of(chosen, run.settings()));
  }

  std::uint64_t take(const command& what, command_outcome&& outcome, int tries) {
    ++commands_;
    run_.shown().count_done();  // counted here, because a command with retries is several tasks
    run_.shown().count_retries(static_cast<std::uint64_t>(std::max(0, tries - 1)));
    if (outcome.failed()) {
      ++failed_;
      run_.shown().count_failure();
    }
    if (log_) log_->print(log_line(what, outcome));
    const auto add_failure = [&](std::string& text) {
      add_line(text, "rankpool exec: command " + std::to_string(what.sequence) + " " + failure_text(what, outcome));
    };
    if (!outcome.ended_by_us.empty()) add_failure(outcome.err);
    printed texts{{}, {}, results_ ? json_line(what, outcome, tries) : std::string()};
    texts.out = std::move(outcome.out);
    texts.err = std::move(outcome.err);
    if (outcome.failed() && outcome.ended_by_us.empty()) add_failure(texts.err);
    if (chosen_.as_completed) {
      print(texts);
      return what.sequence + 1;
    }
    ordered_.add(what.sequence, std::move(texts));
    return ordered_.next();
  }

  void flush() {
    out_.flush();
    if (log_) log_->flush();
    if (results_) results_->flush();
  }

  void finish() {
    ordered_.finish();
    out_.flush();
    run_.report().add("commands", commands_);
    run_.report().add("failed", failed_);
    if (log_) log_->finish();
    if (results_) results_->finish();
  }

  std::uint64_t commands() const { return commands_; }
  std::uint64_t failed() const { return failed_; }

 private:
  void print(const printed& texts) {
    if (!texts.out.empty()) out_.print(texts.out);
    if (!texts.err.empty()) {
      out_.flush();  // on a terminal, a command's stderr must follow its stdout
      run_.shown().make_way();
      err_.print(texts.err);
      err_.flush();
    }
    if (results_) results_->print(texts.record);
  }

  job_run& run_;
  const exec_options& chosen_;
  output& out_;
  output err_{STDERR_FILENO, "standard error"};
  std::optional<output> log_;
  std::optional<output> results_;
  ordered_output ordered_{[this](const printed& texts) { print(texts); }};
  std::uint64_t commands_ = 0;
  std::uint64_t failed_ = 0;
};

class exec : public job {
  exec_options chosen_;

  void declare(job_options& options) override {
    options.text("FILE", chosen_.file, "commands, one per line, or arguments of COMMAND after -- (default: stdin)", "");
    options.text("--colsep", chosen_.column_pattern,
                 "split each argument into columns {1}, {2} ... at this string or regular expression, such as , or '\\t'", "REGEX");
    options.flag("--as-completed", chosen_.as_completed, "print output as commands end, not in the order of the input");
    options.duration("--timeout", chosen_.timeout_seconds,
                     "end a command and its child processes after this time, such as 90 or 5min; the command has failed");
    options.duration("--delay", chosen_.delay_seconds,
                     "wait at least this long between the starts of two commands, on all workers together");
    options.number("--retries", chosen_.retries, "run a failed command up to this many times more (default 0)", 0, 1'000'000);
    const auto max_failures =
        options.max_failures("start no more commands after this many failures; a retried command counts once");
    options.flag("--halt-on-error", chosen_.halt_on_error, "the same as --max-failures 1").excludes(max_failures);
    options.flag("--dry-run", chosen_.dry_run, "print the commands, quoted for a shell, and run none");
    options.flag("--null", chosen_.null, "the items of the input end in NUL characters, as find -print0 writes them");
    options.text("--log", chosen_.log,
                 "write a line of tab-separated columns for each finished command, as GNU parallel's --joblog; FILE.part-PID "
                 "until the end",
                 "FILE");
    options.text("--results", chosen_.results, "write a JSON object per line for each command: status, times, host, stderr",
                 "FILE");
    options.output();
    // A journal identifies a command by its words and working directory. No option changes the effect of a command.
    options.all_without_effect();
    options.identity("directory", [] {
      std::error_code none;
      return std::filesystem::current_path(none).string();
    });
    options.footer(
        "rankpool exec [OPTIONS] [FILE] [-- COMMAND ...]\n"
        "rankpool exec [OPTIONS] COMMAND ... ::: ARGUMENTS ... [::: ARGUMENTS ...]\n"
        "In COMMAND, {} is the argument, {.} the argument without extension, {/} without folder, {//} its folder,\n"
        "{/.} without both, {#} the number of the command, {%} the slot of its worker on the node, from 0. {2} and {2.}\n"
        "refer to the second list, or to the second column with --colsep. With several lists, all combinations are run.\n"
        "Each command is a task: there is no --chunksize. There is no --verify.\n"
        "Exit status: 75 if stopped early; otherwise the number of failed commands, but 76 for 75, and 101 for more than 100.");
  }

  /// Returns the number of words from the command on. With lists, the command begins at the first word that is neither an option
  /// nor an option's value, or after "--". Without lists, it begins after "--".
  std::size_t unparsed_words(const std::vector<std::string>& words, const job_options& options) const override {
    const auto lists = std::ranges::find(words, list_mark);
    auto begin = std::ranges::find(words, "--");
    if (lists != words.end()) {
      for (begin = words.begin(); begin != lists && begin->starts_with('-') && *begin != "-" && *begin != "--"; ++begin) {
        if (options.takes_next_word(*begin) && begin + 1 != lists) ++begin;
      }
    }
    return static_cast<std::size_t>(words.end() - begin);
  }

  void check(const run_settings& settings) override {
    divide_tail(settings.tail, chosen_);
    if (chosen_.lists.empty() && !settings.tail.empty() && chosen_.form.empty()) throw usage_error("a command is missing after --");
    if (!chosen_.column_pattern.empty() && chosen_.form.empty()) {
      throw usage_error(
          "--colsep requires COMMAND after --, with {1}, {2} ... for the columns; without COMMAND a line is a command");
    }
    if (chosen_.null && !chosen_.lists.empty())
      throw usage_error("--null requires input from FILE or stdin, not from '" + list_mark + "'");
    columns_of(chosen_);
    check_places(chosen_);
    std::vector<input_options> inputs;
    if (chosen_.lists.empty()) {
      inputs.push_back(input_of(chosen_));
      inputs.back().check();
    }
    std::vector outputs{settings.output};
    for (const output_options& records : {log_of(chosen_, settings), results_of(chosen_, settings)}) {
      if (!records.path.empty()) outputs.push_back(records);
    }
    check_distinct(inputs, outputs);
    for (const output_options& file : outputs) file.check();
  }

  /// Runs the job. If the output cannot be written, running commands must not delay the end: exit() ends all ranks at once, and
  /// their guards terminate the commands.
  void run(job_run& run) override {
    try {
      run_commands(run);
      run.finish();
    } catch (const output_error& error) {
      run.fail(run_report::ending::failed, error.what());
      if (error.code().value() == EPIPE) std::exit(128 + SIGPIPE);
      std::cerr << "rankpool exec: " + std::string(error.what()) + "\n";
      std::exit(EXIT_FAILURE);
    }
  }

  void run_commands(job_run& run) const {
    commands from(chosen_);
    if (chosen_.dry_run) return print_commands(from.source(), run.out());
    collector results(run, chosen_);
    if (from.size() > 0) run.expect_tasks(from.size());
    std::uint64_t all = from.size();  // 0: unknown
    const bool all_run = run_farm(run.cluster(), run.executor_options(), from.source(),
                                  {.timeout_seconds = chosen_.timeout_seconds.value_or(0),
                                   .tries = chosen_.retries + 1,
                                   .max_failures = chosen_.halt_on_error ? 1 : run.settings().max_failures,
                                   .delay_seconds = chosen_.delay_seconds.value_or(0)},
                                  {.on_done = [&](const command& what, command_outcome&& outcome,
                                                  int tries) { return results.take(what, std::move(outcome), tries); },
                                   .on_idle = [&] { results.flush(); },
                                   .on_known = [&](std::uint64_t commands) { run.expect_tasks(all = commands); }});
    results.finish();
    if (!all_run) {
      run.shown().stop();
      const auto not_run = all > results.commands() ? std::optional(all - results.commands()) : std::nullopt;
      std::cerr << "rankpool exec: " +
                       failure_limit::summary(results.failed(), not_run, run.has_journal(), "command",
                                              chosen_.halt_on_error ? "--halt-on-error" : run.failures().option()) +
                       "\n";
    }
    run.explain(std::to_string(results.commands()) + " commands were run, " + std::to_string(results.failed()) + " failed");
    run.set_exit_status(exit_status(results.failed()));
  }
};

const job_entry<exec> exec_entry("exec",
                                 "command lines from a file or stdin, or one command per argument, distributed over the workers");

}  // namespace
}  // namespace jobs

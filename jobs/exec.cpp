// A command farm: runs lines of a file or of stdin as commands, or one command for each of many arguments, as GNU parallel
// does, on the workers of all nodes. What they print comes out whole, command by command, in the order of the input.
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

#include "exec/column_separator.hpp"
#include "exec/command.hpp"
#include "exec/command_source.hpp"
#include "exec/command_template.hpp"
#include "exec/farm.hpp"
#include "exec/ordered_output.hpp"
#include "exec/records.hpp"
#include "support/command.hpp"
#include "support/duration.hpp"
#include "support/input.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  std::vector<std::string> tail;  // of the command line: a command, and lists of arguments
  std::vector<std::string> form;
  std::vector<std::vector<std::string>> lists;

  std::string file;
  bool as_completed = false;
  bool dry_run = false;
  bool halt_on_error = false;
  bool null = false;
  std::string column_pattern;  // empty: an argument is one column
  double timeout_seconds = 0;
  double delay_seconds = 0;
  std::uint64_t max_failures = 0;
  int retries = 0;
  std::string log;
  std::string results;
  output_options output;
};

const std::string list_mark = ":::";

/// Takes from `words` what is not for the parser: with lists, all from the command on, which is the first word that is neither an
/// option nor the value of one, or that follows "--"; without lists, all from "--" on.
std::vector<std::string> take_tail(std::vector<std::string>& words, const CLI::App& job) {
  if (words.empty() || words.front() != job.get_name()) return {};
  const auto lists = std::ranges::find(words, list_mark);
  auto begin = std::ranges::find(words, "--");
  if (lists != words.end()) {
    for (begin = words.begin() + 1; begin != lists && begin->starts_with('-') && *begin != "-" && *begin != "--"; ++begin) {
      const CLI::Option* option = begin->find('=') == std::string::npos ? job.get_option_no_throw(*begin) : nullptr;
      if (option != nullptr && option->get_items_expected_max() > 0 && begin + 1 != lists) ++begin;
    }
  }
  std::vector<std::string> tail(begin, words.end());
  words.erase(begin, words.end());
  return tail;
}

/// The tail as a command and lists. Throws: usage_error.
void divide_tail(options& chosen) {
  auto word = chosen.tail.begin();
  if (word != chosen.tail.end() && *word == "--") ++word;
  for (; word != chosen.tail.end(); ++word) {
    if (*word == list_mark) {
      chosen.lists.emplace_back();
    } else if (word->starts_with(list_mark) && word->find_first_not_of(":+") == std::string::npos) {
      throw usage_error("'" + *word + "' is not supported; an argument list follows '" + list_mark + "'");
    } else {
      (chosen.lists.empty() ? chosen.form : chosen.lists.back()).push_back(*word);
    }
  }
}

std::shared_ptr<const column_separator> columns_of(const options& chosen) {
  return chosen.column_pattern.empty() ? nullptr : std::make_shared<column_separator>(chosen.column_pattern);
}

/// Throws: usage_error if COMMAND has a place for an argument list that is not given. With --colsep each line decides how many
/// columns it has, and a place beyond them is empty.
void check_places(const options& chosen) {
  if (!chosen.column_pattern.empty()) return;
  const std::size_t lists = std::max<std::size_t>(chosen.lists.size(), 1);
  const std::string place = command_template(chosen.form).place_beyond(lists);
  if (place.empty()) return;
  throw usage_error(place + " refers to argument list " + std::to_string(std::stoll(place.substr(1))) + ", but only " +
                    std::to_string(lists) + (lists == 1 ? " was" : " were") + " given");
}

input_options input_of(const options& chosen) { return {chosen.file, "FILE"}; }
output_options log_of(const options& chosen) { return {chosen.log, chosen.output.force, "--log", chosen.output.journal}; }
output_options results_of(const options& chosen) {
  return {chosen.results, chosen.output.force, "--results", chosen.output.journal};
}

void check(const options& chosen) {
  if (chosen.lists.empty() && !chosen.tail.empty() && chosen.form.empty()) throw usage_error("a command is missing after --");
  if (!chosen.column_pattern.empty() && chosen.form.empty()) {
    throw usage_error("--colsep requires COMMAND after --, with {1}, {2} ... for the columns; without COMMAND a line is a command");
  }
  columns_of(chosen);
  check_places(chosen);
  if (chosen.lists.empty()) input_of(chosen).check();
  std::vector outputs{chosen.output};
  for (const output_options& records : {log_of(chosen), results_of(chosen)}) {
    if (!records.path.empty()) outputs.push_back(records);
  }
  std::vector<input_options> inputs;
  if (chosen.lists.empty()) inputs.push_back(input_of(chosen));
  check_distinct(inputs, outputs);
  for (const output_options& file : outputs) file.check();
}

// Where the commands come from.
class commands {
 public:
  explicit commands(const options& chosen) {
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
  std::uint64_t size_ = 0;  // 0: not known
  std::unique_ptr<command_source> source_;
};

void print_commands(command_source& source, output& out) {
  while (const auto what = source.next()) out.print(command_text(*what), '\n');
}

/// As GNU parallel has it, but for 75, which says that there is more to do.
int exit_status(std::uint64_t failed) { return failed == 75 ? 76 : static_cast<int>(std::min<std::uint64_t>(failed, 101)); }

// Takes what commands have printed to where it belongs, and counts.
class collector {
 public:
  collector(command_context& context, const options& chosen, output& out) : context_(context), chosen_(chosen), out_(out) {
    if (!chosen.log.empty()) log_.emplace(context, log_of(chosen)).print(log_header());
    if (!chosen.results.empty()) results_.emplace(context, results_of(chosen));
  }

  std::uint64_t take(const command& what, command_outcome&& outcome, int tries) {
    ++run_;
    context_.shown.count_done();  // a command that is tried again is several tasks
    if (outcome.failed()) {
      ++failed_;
      context_.shown.count_failure();
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
    context_.report.add("commands", run_);
    context_.report.add("failed", failed_);
    out_.finish();
    if (log_) log_->finish();
    if (results_) results_->finish();
  }

  std::uint64_t run() const { return run_; }
  std::uint64_t failed() const { return failed_; }

 private:
  void print(const printed& texts) {
    if (!texts.out.empty()) out_.print(texts.out);
    if (!texts.err.empty()) {
      out_.flush();  // on a terminal a command's messages follow what it has printed
      context_.shown.make_way();
      err_.print(texts.err);
      err_.flush();
    }
    if (results_) results_->print(texts.record);
  }

  command_context& context_;
  const options& chosen_;
  output& out_;
  output err_{STDERR_FILENO, "standard error"};
  std::optional<output> log_;
  std::optional<output> results_;
  ordered_output ordered_{[this](const printed& texts) { print(texts); }};
  std::uint64_t run_ = 0;
  std::uint64_t failed_ = 0;
};

int run_commands(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  output out(context, chosen.output);
  commands from(chosen);
  if (chosen.dry_run) {
    print_commands(from.source(), out);
    out.finish();
    return 0;
  }
  collector results(context, chosen, out);
  if (from.size() > 0) context.shown.expect(from.size());
  const bool all_run = run_farm(cluster, context.executor_options(), from.source(),
                                {.timeout_seconds = chosen.timeout_seconds,
                                 .tries = chosen.retries + 1,
                                 .max_failures = chosen.max_failures,
                                 .delay_seconds = chosen.delay_seconds},
                                {.on_done = [&](const command& what, command_outcome&& outcome,
                                                int tries) { return results.take(what, std::move(outcome), tries); },
                                 .on_idle = [&] { results.flush(); },
                                 .on_known = [&](std::uint64_t commands) { context.shown.expect(commands); }});
  results.finish();
  if (!all_run) {
    context.shown.stop();
    std::cerr << "rankpool: exec stopped early because " + std::to_string(results.failed()) +
                     (results.failed() == 1 ? " command" : " commands") + " failed (" +
                     (chosen.halt_on_error ? "--halt-on-error" : "--max-failures " + std::to_string(chosen.max_failures)) +
                     "); some commands were not run" +
                     (context.resumable.journal.empty() ? "" : "; the same run with its journal runs them and those that failed") +
                     "\n";
  }
  context.explain(std::to_string(results.run()) + " commands were run, " + std::to_string(results.failed()) + " failed");
  return exit_status(results.failed());
}

/// When what is printed has nowhere to go, commands that run must not hold up the end: exit() ends every rank, busy ones too, and
/// their guards end the commands.
int run_commands_while_printable(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  try {
    return run_commands(cluster, context, chosen);
  } catch (const output_error& error) {
    context.shown.stop();
    if (error.code().value() == EPIPE) std::exit(128 + SIGPIPE);
    std::cerr << "rankpool exec: " + std::string(error.what()) + "\n";
    std::exit(EXIT_FAILURE);
  }
}

void add_exec(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "exec", "command lines from a file or stdin, or a command for each of many arguments, on all workers",
      [chosen](rankpool::cluster& cluster, command_context& c) { return run_commands_while_printable(cluster, c, *chosen); },
      [chosen] {
        divide_tail(*chosen);
        if (chosen->halt_on_error) chosen->max_failures = 1;
        check(*chosen);
      });
  job.add_option("FILE", chosen->file, "commands, one a line, or arguments of COMMAND after -- (default: stdin)")->type_name("");
  job.add_option("--colsep", chosen->column_pattern,
                 "split each argument into columns {1}, {2} ... at this string or regular expression, such as , or '\\t'")
      ->type_name("REGEX")
      ->check([](const std::string& pattern) {
        return std::string(pattern.empty() ? "takes a string or regular expression, not an empty one" : "");
      });
  job.add_flag("--as-completed", chosen->as_completed, "print output as commands end, not in the order of the input");
  add_duration(
      job, "--timeout", [chosen](double seconds) { chosen->timeout_seconds = seconds; },
      "end a command, and all it has started, after so long, such as 90 or 5min; it has failed then");
  add_duration(
      job, "--delay", [chosen](double seconds) { chosen->delay_seconds = seconds; },
      "wait at least so long between the starts of two commands, on all workers together");
  add_number(job, "--retries", chosen->retries, "run a command that fails up to so many times more (default 0)", 0, 1'000'000);
  add_number<std::uint64_t>(job, "--max-failures", chosen->max_failures,
                            "start no more commands once so many have failed, retries included", 1, 1'000'000'000);
  job.add_flag("--halt-on-error", chosen->halt_on_error, "the same as --max-failures 1")
      ->excludes(job.get_option("--max-failures"));
  job.add_flag("--dry-run", chosen->dry_run, "print the commands, quoted for a shell, and run none");
  job.add_flag("--null", chosen->null, "the input is separated by NUL characters, as find -print0 does it");
  job.add_option("--log", chosen->log,
                 "a line of tabbed columns for each command, as GNU parallel's --joblog, as they end; till then FILE.part-PID")
      ->type_name("FILE");
  job.add_option("--results", chosen->results, "a JSON object on a line for each command: status, times, host, stderr")
      ->type_name("FILE");
  add_output(job, chosen->output);
  // A journal knows a command by its words and by the folder that it runs in. No option changes what a command does.
  for (const CLI::Option* option : job.get_options()) context.without_effect.insert(option);
  job.preparse_callback([&context](std::size_t) {
    std::error_code none;
    context.surroundings["directory"] = std::filesystem::current_path(none).string();
  });
  job.footer(
      "rankpool exec [OPTIONS] [FILE] [-- COMMAND ...]\n"
      "rankpool exec [OPTIONS] COMMAND ... ::: ARGUMENTS ... [::: ARGUMENTS ...]\n"
      "In COMMAND, {} stands for the argument, {.} for it without extension, {/} without folder, {//} for the folder,\n"
      "{/.} without both, {#} for the command's number; {2} and {2.} are of the second list, or of the second column with\n"
      "--colsep. Several lists give all choices.\n"
      "Each command is a task: there is no --chunksize. Nor is there anything that --verify could compare with.\n"
      "Exit status: how many commands failed, 101 for more than 100; 75 if it was stopped early, so 76 also for 75.");
  chosen->tail = context.tail = take_tail(context.words, job);
}

const job_entry entry("exec", add_exec);

}  // namespace
}  // namespace jobs

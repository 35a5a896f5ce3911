// A command farm: runs lines of a file or of stdin as commands, or one command for each of many arguments, as GNU parallel
// does, on the workers of all nodes. What they print comes out whole, command by command, in the order of the input.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exec/command.hpp"
#include "exec/command_source.hpp"
#include "exec/command_template.hpp"
#include "exec/farm.hpp"
#include "exec/ordered_output.hpp"
#include "exec/records.hpp"
#include "support/command.hpp"
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
  double timeout_seconds = 0;
  int retries = 0;
  std::string log;
  std::string results;
  output_options output;
};

const std::string list_mark = ":::";

/// Takes from `words` what is not for the parser: all from "--" on or, where there are lists, from the command on.
std::vector<std::string> take_tail(std::vector<std::string>& words, const CLI::App& job) {
  if (words.empty() || words.front() != job.get_name()) return {};
  const auto lists = std::ranges::find(words, list_mark);
  auto begin = std::ranges::find(words, "--");
  if (begin > lists) begin = words.end();
  if (begin == words.end() && lists != words.end()) {
    for (begin = words.begin() + 1; begin != lists && begin->starts_with('-') && *begin != "-"; ++begin) {
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
      throw usage_error("it knows lists after " + list_mark + " alone, not " + *word);
    } else {
      (chosen.lists.empty() ? chosen.form : chosen.lists.back()).push_back(*word);
    }
  }
}

input_options input_of(const options& chosen) { return {chosen.file, "FILE"}; }
output_options log_of(const options& chosen) { return {chosen.log, chosen.output.force, "--log", chosen.output.journal}; }
output_options results_of(const options& chosen) {
  return {chosen.results, chosen.output.force, "--results", chosen.output.journal};
}

void check(const options& chosen) {
  if (!chosen.lists.empty() && !chosen.file.empty())
    throw usage_error("FILE and " + list_mark + " are two inputs; give one of the two");
  if (chosen.lists.empty() && !chosen.tail.empty() && chosen.form.empty()) throw usage_error("a command is missing after --");
  if (!(chosen.timeout_seconds >= 0)) throw usage_error("--timeout takes a number of seconds that is not negative");
  const std::size_t lists = std::max<std::size_t>(chosen.lists.size(), 1);
  if (const std::string place = command_template(chosen.form).place_beyond(lists); !place.empty()) {
    throw usage_error(place + " is of a list that is not there: there " + (lists == 1 ? "is 1" : "are " + std::to_string(lists)));
  }
  if (chosen.lists.empty()) input_of(chosen).check();
  chosen.output.check();
  log_of(chosen).check();
  results_of(chosen).check();
  const auto clash = [](const std::string& a, const std::string& b) { return !a.empty() && a == b && !a.starts_with("/dev/"); };
  if (clash(chosen.log, chosen.results) || clash(chosen.log, chosen.output.path) || clash(chosen.results, chosen.output.path)) {
    throw usage_error("--output, --log and --results take a file each, not the same one");
  }
}

// Where the commands come from.
class commands {
 public:
  explicit commands(const options& chosen) {
    const command_template form(chosen.form);
    if (!chosen.lists.empty()) {
      auto product = std::make_unique<product_source>(chosen.lists, form);
      size_ = product->size();
      source_ = std::move(product);
      return;
    }
    const input_options from = input_of(chosen);
    input_.emplace(from);
    source_ = std::make_unique<line_source>(input_->descriptor(), from.name(), form, chosen.null ? '\0' : '\n');
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
    if (outcome.failed()) {
      ++failed_;
      context_.shown.count_failure();
    }
    if (log_) log_->print(log_line(what, outcome));
    printed texts{{}, {}, results_ ? json_line(what, outcome, tries) : std::string()};
    texts.out = std::move(outcome.out);
    texts.err = std::move(outcome.err);
    if (outcome.failed() && !outcome.explained && !context_.quiet)
      add_line(texts.err, "rankpool exec: " + failure_text(what, outcome));
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
  rankpool::executor pool(cluster, context.executor_options());
  if (from.size() > 0) context.shown.expect(from.size());
  run_farm(pool, from.source(),
           {.timeout_seconds = chosen.timeout_seconds, .tries = chosen.retries + 1, .halt_on_error = chosen.halt_on_error},
           {.on_done = [&](const command& what, command_outcome&& outcome,
                           int tries) { return results.take(what, std::move(outcome), tries); },
            .on_idle = [&] { results.flush(); },
            .on_known = [&](std::uint64_t commands) { context.shown.expect(commands); }});
  results.finish();
  context.explain(std::to_string(results.run()) + " commands were run, " + std::to_string(results.failed()) + " failed");
  return exit_status(results.failed());
}

/// When what is printed has nowhere to go, commands that run must not hold up the end: this rank leaves, the launcher ends
/// the others, and their guards end the commands.
int run_commands_while_printable(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  try {
    return run_commands(cluster, context, chosen);
  } catch (const output_error& error) {
    context.shown.stop();
    if (error.code().value() == EPIPE) std::_Exit(128 + SIGPIPE);
    std::cerr << "rankpool exec: " + std::string(error.what()) + "\n";
    std::_Exit(EXIT_FAILURE);
  }
}

void add_exec(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "exec", "command lines from a file or stdin, or a command for each of many arguments, on all workers",
      [chosen](rankpool::cluster& cluster, command_context& c) { return run_commands_while_printable(cluster, c, *chosen); },
      [chosen] {
        divide_tail(*chosen);
        check(*chosen);
      });
  job.add_option("FILE", chosen->file, "commands, one a line, or arguments of the command after -- (default: stdin)")
      ->type_name("");
  job.add_flag("--as-completed", chosen->as_completed, "print what commands print as they end, not in the order of the input");
  job.add_option("--timeout", chosen->timeout_seconds, "end a command, and all it has started, after so long; it has failed then")
      ->type_name("SECONDS");
  add_number(job, "--retries", chosen->retries, "run a command that fails up to so many times more (default 0)", 0, 1'000'000);
  job.add_flag("--halt-on-error", chosen->halt_on_error,
               "start nothing more once a command has failed; one that was begun may have its tries");
  job.add_flag("--dry-run", chosen->dry_run, "print the commands, quoted for a shell, and run none");
  job.add_flag("--null", chosen->null, "the input is separated by NUL characters, as find -print0 does it");
  job.add_option("--log", chosen->log,
                 "a line of tabbed columns for each command, as GNU parallel's --joblog, as they end; till then FILE.part-PID")
      ->type_name("FILE");
  job.add_option("--results", chosen->results, "a JSON object on a line for each command: status, times, host, stderr")
      ->type_name("FILE");
  add_output(job, chosen->output);
  job.footer(
      "rankpool exec [OPTIONS] [FILE] [-- COMMAND ...]\n"
      "rankpool exec [OPTIONS] COMMAND ... ::: ARGUMENTS ... [::: ARGUMENTS ...]\n"
      "In COMMAND, {} stands for the argument, {.} for it without extension, {/} without folder, {//} for the folder,\n"
      "{/.} without both, {#} for the command's number; {2} and {2.} are of the second list. Several lists give all choices.\n"
      "Each command is a task: there is no --chunksize. Nor is there anything that --verify could compare with.\n"
      "Exit status: how many commands failed, 101 for more than 100; 75 if it was stopped early, so 76 also for 75.");
  chosen->tail = context.tail = take_tail(context.words, job);
}

const job_entry entry("exec", add_exec);

}  // namespace
}  // namespace jobs

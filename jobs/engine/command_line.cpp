#include "engine/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <map>
#include <new>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/output.hpp"
#include "engine/status_file.hpp"
#include "support/in_quotes.hpp"

#ifndef RANKPOOL_VERSION
#define RANKPOOL_VERSION "unknown"
#endif

namespace jobs {
namespace {

struct known_subcommand {
  std::string summary;
  subcommand_entry::factory make;
};

std::map<std::string, known_subcommand>& entries() {
  static std::map<std::string, known_subcommand> all;
  return all;
}

/// A subcommand with its options and their values.
struct declared_subcommand {
  std::string name;
  std::unique_ptr<subcommand> self;
  CLI::App* parser;
  run_settings settings{};
  std::unique_ptr<job_options> options{};
};

/// Throws: usage_error if the file exists and is not one that --status has written.
void check_status_file(const output_options& status) {
  if (status.is_stream()) throw usage_error("--status requires a regular file, not " + in_quotes(status.path));
  try {
    if (status_file::may_replace(status.path)) return;
  } catch (const std::system_error& error) {
    throw usage_error(std::string("--status: ") + error.what());
  }
  throw usage_error("--status " + status.path + " exists already and is not a status file of rankpool; choose another name");
}

}  // namespace

subcommand_entry::subcommand_entry(std::string name, std::string summary, factory make) {
  entries().emplace(std::move(name), known_subcommand{std::move(summary), std::move(make)});
}

struct command_line::implementation {
  CLI::App app{"Workloads on a process pool over MPI. Without options, a job runs the tutorial's example of its name.", "rankpool"};
  std::deque<declared_subcommand> subcommands{};
  declared_subcommand* chosen = nullptr;
  command_line_answer answer{};
  std::string no_name{};

  /// Returns one line that names the error.
  std::string problem(const CLI::Error& error) const {
    const auto unknown = chosen == nullptr ? app.remaining() : chosen->parser->remaining();
    const auto what = [](const std::string& word) {
      return (word.starts_with('-') && word.size() > 1 ? "unknown option " : "unexpected argument ") + in_quotes(word);
    };
    if (chosen == nullptr) {
      const std::string text = unknown.empty()                    ? "a job is missing"
                               : unknown.front().starts_with('-') ? "a job is missing before " + in_quotes(unknown.front())
                                                                  : "unknown job " + in_quotes(unknown.front());
      return text + "; rankpool --help lists the jobs";
    }
    const std::string help = "; rankpool " + chosen->name + " --help lists its options";
    if (const auto early = app.remaining(); !early.empty())
      return "option " + in_quotes(early.front()) + " must follow the name of the job" + help;
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !unknown.empty()) return what(unknown.front()) + help;
    return error.what() + help;
  }
};

command_line::command_line() : all_(std::make_unique<implementation>()) {
  CLI::App& app = all_->app;
  app.set_version_flag("--version", "rankpool " RANKPOOL_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(24);
  for (const auto& [name, entry] : entries()) {
    declared_subcommand& added = all_->subcommands.emplace_back(name, entry.make(), app.add_subcommand(name, entry.summary));
    added.options = std::make_unique<job_options>(*added.parser, added.settings);
    added.self->declare(*added.options);
    if (dynamic_cast<const job*>(added.self.get()) != nullptr) {
      added.options->common();
    } else {
      added.parser->group("Commands");
    }
  }
}

command_line::~command_line() = default;

bool command_line::parse(std::vector<std::string> words) {
  const std::vector<std::string> all_words = words;
  const auto named = [&](const declared_subcommand& each) { return !words.empty() && each.name == words.front(); };
  if (const auto found = std::ranges::find_if(all_->subcommands, named); found != all_->subcommands.end()) {
    all_->chosen = &*found;
    const std::vector<std::string> arguments(words.begin() + 1, words.end());
    const auto kept = static_cast<std::ptrdiff_t>(found->self->unparsed_words(arguments, *found->options));
    found->settings.tail.assign(words.end() - kept, words.end());
    words.resize(words.size() - found->settings.tail.size());
  }
  try {
    all_->app.parse(std::vector(words.rbegin(), words.rend()));  // CLI11 expects the words in reverse order
    all_->chosen->settings.output.journal = all_->chosen->settings.resumable.journal;
    all_->chosen->settings.command_line = all_words;
    return true;
  } catch (const CLI::Success& request) {  // --help, --version
    std::ostringstream text;
    all_->answer.status = all_->app.exit(request, text, text);
    all_->answer.text = text.str();
  } catch (const CLI::Error& error) {
    const auto parsed = all_->app.get_subcommands();
    const auto is_parsed = [&](const declared_subcommand& each) { return !parsed.empty() && each.parser == parsed.front(); };
    const auto found = std::ranges::find_if(all_->subcommands, is_parsed);
    all_->chosen = found == all_->subcommands.end() ? nullptr : &*found;
    all_->answer = {2, all_->problem(error)};
  } catch (const usage_error& error) {
    all_->answer = {2, error.what()};
  }
  return false;
}

const command_line_answer& command_line::answer() const { return all_->answer; }

const std::string& command_line::name() const { return all_->chosen == nullptr ? all_->no_name : all_->chosen->name; }

const run_settings& command_line::settings() const { return all_->chosen->settings; }

job* command_line::chosen_job() const { return dynamic_cast<job*>(all_->chosen->self.get()); }

local_command* command_line::chosen_command() const { return dynamic_cast<local_command*>(all_->chosen->self.get()); }

std::string command_line::parameters() const { return all_->chosen->options->parameters(); }

std::string command_line::subject() const { return all_->chosen->options->subject(name()); }

void command_line::check_descriptions() const {
  const run_settings& given = settings();
  std::vector<output_options> outputs;
  if (!given.output.is_stdout()) outputs.push_back(given.output);
  const auto add = [&](const std::string& option, const std::string& path, bool force) {
    if (path.empty()) return;
    outputs.push_back({.path = path, .force = force, .option = option, .journal = given.resumable.journal});
    if (outputs.back().is_stdout()) throw usage_error(option + " requires a file");
    outputs.back().check();
  };
  add("--trace", given.trace, given.output.force);
  add("--report", given.report, given.output.force);
  if (given.trace.empty()) add("the trace of --report:", trace_file(), given.output.force);
  add("--status", given.status, true);  // that of an earlier run is replaced
  check_distinct({}, outputs);
  if (!given.status.empty()) check_status_file(outputs.back());
}

std::string command_line::trace_file() const {
  const run_settings& given = settings();
  return given.report.empty() || !given.trace.empty() ? given.trace : given.report + ".trace.gz";
}

void command_line::check() const {
  try {
    all_->chosen->settings.resumable.check();
    all_->chosen->options->run_checks();
    all_->chosen->self->check(all_->chosen->settings);
  } catch (const usage_error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw usage_error("out of memory while checking the options");
  } catch (const std::exception& error) {
    throw usage_error(error.what());
  }
}

}  // namespace jobs

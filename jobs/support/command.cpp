#include "support/command.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>

#include "support/in_quotes.hpp"
#include "support/json.hpp"
#include "support/numbers.hpp"

namespace jobs {
namespace {

// Of an option that was not given; null where it has no default.
nlohmann::json default_of(CLI::Option& option) {
  option.capture_default_str();  // no earlier, or --help prints it too
  const std::string text = option.get_default_str();
  if (option.get_items_expected_max() == 1) return text.empty() ? nlohmann::json() : nlohmann::json(text);
  // CLI11 writes a list as [1,2,3].
  return text.size() > 2 ? nlohmann::json(CLI::detail::split(text.substr(1, text.size() - 2), ',')) : nlohmann::json::array();
}

// Values of options, given or not, by name.
nlohmann::json parameters_of(CLI::App& job, const std::vector<std::string>& tail) {
  constexpr std::array<std::string_view, 6> manner{"help", "json", "quiet", "verbose", "journal", "stop-before"};  // of telling
  nlohmann::json parameters = nlohmann::json::object();
  for (CLI::Option* option : job.get_options()) {
    const std::string name = option->get_single_name();
    if (std::ranges::find(manner, name) != manner.end()) continue;
    const auto& values = option->results();
    if (option->get_items_expected_max() == 0) {
      parameters[name] = option->count() > 0;
    } else if (option->count() == 0) {
      parameters[name] = default_of(*option);
    } else if (option->get_items_expected_max() == 1) {
      parameters[name] = values.back();
    } else {
      parameters[name] = values;
    }
  }
  if (!tail.empty()) parameters["arguments"] = tail;
  return parameters;
}

// "primes count from=1 to=1000000000": what the results depend on. Values are written from what was read, not as they were typed,
// so that 1e9 and 1000000000 are the same.
std::string subject_of(CLI::App& job, const command_context& context) {
  constexpr std::array<std::string_view, 9> of_every_job{"help",  "workers", "journal", "stop-before", "json",
                                                         "quiet", "verbose", "output",  "force"};
  std::map<std::string, std::string> values = context.surroundings;
  for (CLI::Option* option : job.get_options()) {
    const std::string name = option->get_single_name();
    if (std::ranges::find(of_every_job, name) != of_every_job.end() || context.without_effect.contains(option)) continue;
    if (option->get_items_expected_max() == 0) {
      if (option->count() > 0) values[name];
      continue;
    }
    option->capture_default_str();
    if (const std::string value = option->get_default_str(); !value.empty() && value != "[]" && value != "{}") values[name] = value;
  }
  std::string text = job.get_name();
  for (const auto& [name, value] : values) text += ' ' + name + (value.empty() ? "" : '=' + value);
  return text;
}

/// What stands in the way of a job before it has begun is a matter of what was asked for, whoever notices it.
job_check as_usage(job_check check) {
  if (!check) return {};
  return [check = std::move(check)] {
    try {
      check();
    } catch (const std::bad_alloc&) {
      throw usage_error("what it is asked for takes more memory than there is");
    } catch (const std::exception& error) {
      throw usage_error(error.what());
    }
  };
}

std::map<std::string, job_entry::adder>& entries() {
  static std::map<std::string, job_entry::adder> all;
  return all;
}

}  // namespace

job_entry::job_entry(std::string name, adder add) { entries().emplace(std::move(name), add); }

void add_all_jobs(CLI::App& app, command_context& context) {
  for (const auto& [name, add] : entries()) add(app, context);
}

void command_context::note(const std::string& text) const {
  if (!quiet) std::cerr << "rankpool: " + printable(text) + "\n";
}

void command_context::explain(const std::string& decision) const {
  if (verbose) std::cerr << "rankpool: " + printable(decision) + "\n";
}

void command_context::open_journal() {
  if (resumable.journal.empty()) return;
  try {
    journal = rankpool::journal(resumable.journal, subject);
  } catch (const rankpool::journal_error& error) {
    throw usage_error(error.what());
  }
  chunksize = std::stoll(divided_as("--chunksize", std::to_string(chunksize)));
}

std::string command_context::divided_as(const std::string& option, const std::string& value) {
  const std::string decided = journal.recall(option, value);
  if (decided != value) {
    note(option + " stays " + (decided == "0" ? "its default" : decided) + ", as in the first run with journal " +
         in_quotes(resumable.journal));
  }
  return decided;
}

int command_context::divided_for(const rankpool::executor& pool) {
  return std::stoi(journal.recall("workers", std::to_string(pool.num_workers())));
}

std::uint64_t command_context::seed() { return std::stoull(journal.recall("seed", std::to_string(std::random_device{}()))); }

void command_context::expect_unchanged(const std::string& path) {
  struct stat status {};
  if (resumable.journal.empty() || ::stat(path.c_str(), &status) != 0) return;  // who reads it says why it cannot be read
  const std::string now = std::to_string(status.st_size) + " bytes of " + std::to_string(status.st_mtim.tv_sec) + "." +
                          std::to_string(status.st_mtim.tv_nsec);
  if (journal.recall("file " + canonical_path(path), now) == now) return;
  throw usage_error("input " + in_quotes(path) + " was modified after journal " + in_quotes(resumable.journal) +
                    " was created; start a new journal");
}

void command_context::verified(bool holds, const std::string& test) {
  if (!holds) throw verification_error("the result does not stand the test that " + test);
  report.verified(test);
  explain("verified: " + test);
}

CLI::App& add_job(CLI::App& app, command_context& context, const std::string& name, const std::string& summary, job_work work,
                  job_check check) {
  CLI::App& job = *app.add_subcommand(name, summary);
  add_number(job, "--workers", context.max_workers, "most workers to use at once (default: all)", 1, 1'000'000);
  add_resumable(job, context.resumable);
  job.add_flag("--json", context.json, "print one JSON object: results, parameters, time, tasks, workers");
  job.add_flag("--quiet", context.quiet, "show no progress on stderr");
  job.add_flag("--verbose", context.verbose, "say on stderr which workers run where, and what was decided and why");
  job.callback([&context, &job, work = std::move(work), check = as_usage(std::move(check))] {
    context.check = [&context, check] {
      context.resumable.check();
      if (check) check();
    };
    const nlohmann::json parameters = parameters_of(job, context.tail);
    context.parameters = json_of(parameters);
    context.subject = subject_of(job, context);
    context.program = [&context, work](rankpool::cluster& cluster) { return work(cluster, context); };
  });
  return job;
}

CLI::App& add_command(CLI::App& app, command_context& context, const std::string& name, const std::string& summary,
                      std::function<int()> work, job_check check) {
  CLI::App& command = *app.add_subcommand(name, summary)->group("Commands");
  command.callback([&context, work = std::move(work), check = as_usage(std::move(check))] {
    context.check = check;
    context.own_program = work;
  });
  return command;
}

void add_chunksize(CLI::App& job, command_context& context, const std::string& help) {
  context.without_effect.insert(add_number(job, "--chunksize", context.chunksize, help, 1LL, 1'000'000'000'000LL));
}

void add_verify(CLI::App& job, command_context& context, const std::string& help) {
  context.without_effect.insert(job.add_flag("--verify", context.verify, help));
}

CLI::Option* add_input_file(CLI::App& job, const std::string& name, std::string& path, const std::string& help) {
  return job.add_option(name, path, help)->type_name("FILE")->default_function([&path] { return canonical_path(path); });
}

std::string canonical_path(const std::string& path) {
  std::error_code none;
  const auto canonical = std::filesystem::weakly_canonical(std::filesystem::absolute(path, none), none);
  return path.empty() || none ? path : canonical.string();
}

}  // namespace jobs

#include "support/command.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>
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

// As one would type it: "primes count from=1 to=3e11".
std::string subject_of(const std::string& job, nlohmann::json parameters) {
  for (const char* without_effect : {"workers", "output", "force", "log", "results"}) parameters.erase(without_effect);
  std::string text = job;
  for (const auto& [name, value] : parameters.items()) {
    if (value.is_null() || value == false || value.empty()) continue;
    text += ' ' + name;
    if (value.is_string()) text += '=' + value.get<std::string>();
    if (value.is_array()) text += '=' + json_of(value);
  }
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
  if (journal.recall("file " + path, now) == now) return;
  throw usage_error(path + " has changed since the journal " + resumable.journal + " was begun, which has results of what it was");
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
    context.subject = subject_of(job.get_name(), parameters);
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
  add_number(job, "--chunksize", context.chunksize, help, 1LL, 1'000'000'000'000LL);
}

void add_verify(CLI::App& job, command_context& context, const std::string& help) {
  job.add_flag("--verify", context.verify, help);
}

}  // namespace jobs

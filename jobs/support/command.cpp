#include "support/command.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "support/in_quotes.hpp"
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

// All that decides about the result, given or not, by name; not how to tell of it.
std::string parameters_of(CLI::App& job, const std::vector<std::string>& tail) {
  constexpr std::array<std::string_view, 4> manner{"help", "json", "quiet", "verbose"};
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
  return parameters.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
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

void command_context::explain(const std::string& decision) const {
  if (verbose) std::cerr << "rankpool: " + printable(decision) + "\n";
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
  job.add_flag("--json", context.json, "print one JSON object: results, parameters, time, tasks, workers");
  job.add_flag("--quiet", context.quiet, "show no progress on stderr");
  job.add_flag("--verbose", context.verbose, "say on stderr which workers run where, and what was decided and why");
  job.callback([&context, &job, work = std::move(work), check = as_usage(std::move(check))] {
    context.check = check;
    context.parameters = parameters_of(job, context.tail);
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

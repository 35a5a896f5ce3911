#include "support/command.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "support/numbers.hpp"

namespace jobs {
namespace {

// What was given, by name; not how to tell of it.
std::string given_parameters(const CLI::App& job) {
  constexpr std::array<std::string_view, 4> manner{"help", "json", "quiet", "verbose"};
  nlohmann::json parameters = nlohmann::json::object();
  for (const CLI::Option* option : job.get_options([](const CLI::Option* o) { return o->count() > 0; })) {
    const std::string name = option->get_single_name();
    if (std::ranges::find(manner, name) != manner.end()) continue;
    const auto& values = option->results();
    if (option->get_items_expected_max() == 0) {
      parameters[name] = true;
    } else if (option->get_items_expected_max() == 1) {
      parameters[name] = values.back();
    } else {
      parameters[name] = values;
    }
  }
  return parameters.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
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
  if (verbose) std::cerr << "rankpool: " + decision + "\n";
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
  job.callback([&context, &job, work = std::move(work), check = std::move(check)] {
    context.check = check;
    context.parameters = given_parameters(job);
    context.program = [&context, work](rankpool::cluster& cluster) { return work(cluster, context); };
  });
  return job;
}

void add_chunksize(CLI::App& job, command_context& context, const std::string& help) {
  add_number(job, "--chunksize", context.chunksize, help, 1LL, 1'000'000'000'000LL);
}

void add_verify(CLI::App& job, command_context& context, const std::string& help) {
  job.add_flag("--verify", context.verify, help);
}

}  // namespace jobs

#include "support/command.hpp"

#include <memory>

#include "support/numbers.hpp"

namespace jobs {

CLI::App& add_job(CLI::App& app, command_context& context, const std::string& name, const std::string& summary, job_work work,
                  job_check check) {
  CLI::App& job = *app.add_subcommand(name, summary);
  add_number(job, "--workers", context.max_workers, "most workers to use at once (default: all)", 1, 1'000'000);
  job.add_flag("--verbose", context.verbose, "print which workers run where, on stderr");
  job.callback([&context, work = std::move(work), check = std::move(check)] {
    context.check = check;
    context.program = [&context, work](rankpool::cluster& cluster) { return work(cluster, context); };
  });
  return job;
}

}  // namespace jobs

// The pattern that every job follows: one function adds its subcommand and says what to do once it is chosen.
//
// Parsing happens before MPI starts, on every rank alike; `check` looks at the world outside (files, other options)
// once, before the work or even the launch; `work` then runs on rank 0 alone. Only rank 0 prints.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <rankpool/rankpool.hpp>
#include <stdexcept>
#include <string>

namespace jobs {

/// A mistake in what was asked for: main() prints it as one line on stderr and exits with status 2.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the options common to all jobs say, and what the chosen job asks for.
struct command_context {
  int max_workers = 0;   // --workers: most workers used at once; 0: all
  bool verbose = false;  // --verbose: prints on stderr which workers run where

  std::function<void()> check;                     // may be empty; throws usage_error
  std::function<int(rankpool::cluster&)> program;  // the exit status of the command, usually 0

  /// For `rankpool::executor pool(cluster, context.executor_options())`.
  rankpool::executor_options executor_options() const { return {.max_workers = max_workers}; }
};

using job_check = std::function<void()>;
using job_work = std::function<int(rankpool::cluster&, const command_context&)>;

/// Adds the subcommand `name` with its one-line `summary`; the caller then adds options to what is returned.
/// `work` runs on rank 0 if the job is chosen, after `check`, which throws usage_error for what cannot be done.
CLI::App& add_job(CLI::App& app, command_context& context, const std::string& name, const std::string& summary, job_work work,
                  job_check check = {});

}  // namespace jobs

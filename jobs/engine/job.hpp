// What a job is: the options that it declares, the check before it starts, and its work on rank 0. engine/ does the rest.
//
//   class answer : public job {
//     void declare(job_options& options) override { options.number("--to", to_, "last number (default 42)", 1, 1000); }
//     void run(job_run& run) override { run.out().print(run.pool().submit(f, to_).result(), '\n'); }
//     int to_ = 42;
//   };
//   const job_entry<answer> entry("answer", "the answer to everything");
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/job_options.hpp"
#include "engine/job_run.hpp"
#include "engine/run_settings.hpp"
#include "support/usage_error.hpp"

namespace jobs {

/// A word after `rankpool`. All ranks parse the same command line; the rest happens on rank 0.
class subcommand {
 public:
  virtual ~subcommand() = default;
  subcommand() = default;
  subcommand(const subcommand&) = delete;
  subcommand& operator=(const subcommand&) = delete;

  /// Declares the options that not every job has. Variables that options are bound to must live as long as this object.
  virtual void declare(job_options& options) = 0;

  /// Returns how many of `words`, the command line after the name of the job, are not for the parser. These last words become
  /// run_settings::tail.
  virtual std::size_t unparsed_words(const std::vector<std::string>& /*words*/, const job_options& /*options*/) const { return 0; }

  /// Checks what can be known before the work starts. It must leave no traces, and runs once. By default it checks --output.
  /// Throws: usage_error; any other exception is reported as a usage error, too.
  virtual void check(const run_settings& settings) { settings.output.check(); }
};

/// A job: work for the pool.
class job : public subcommand {
 public:
  /// Runs on rank 0. Throws: usage_error, output_error, file_error, verification_error, and what tasks throw.
  virtual void run(job_run& run) = 0;
};

/// A subcommand that needs no workers: it runs in one process and does not start MPI.
class local_command : public subcommand {
 public:
  /// Returns the exit status. Throws: as job::run.
  virtual int run() = 0;
};

/// Adds a subcommand to `rankpool`. A constant of this type stands at the end of the file of each job.
class subcommand_entry {
 public:
  using factory = std::function<std::unique_ptr<subcommand>()>;
  subcommand_entry(std::string name, std::string summary, factory make);
};

/// The entry of a job that is constructed from `arguments`.
template <class Subcommand>
class job_entry : subcommand_entry {
 public:
  template <class... Arguments>
  job_entry(std::string name, std::string summary, Arguments... arguments)
      : subcommand_entry(std::move(name), std::move(summary),
                         [arguments...] { return std::make_unique<Subcommand>(arguments...); }) {}
};

}  // namespace jobs

// The interface of a job: it declares options, checks them before the start, and works on rank 0. engine/ does everything else.
//
//   class answer : public job {
//     void declare(job_options& options) override { options.number("--to", to_, "last number (default 42)", 1, 1000); }
//     void run(job_run& run) override { run.out().print(run.pool().submit(f, to_).result(), '\n'); }
//     int to_ = 42;
//   };
//   const job_entry<answer> answer_entry("answer", "the answer to everything");
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

/// A subcommand of `rankpool`. All ranks parse the same command line; everything else happens on rank 0.
class subcommand {
 public:
  virtual ~subcommand() = default;
  subcommand() = default;
  subcommand(const subcommand&) = delete;
  subcommand& operator=(const subcommand&) = delete;

  /// Declares the options that are specific to this subcommand. Lifetime: bound variables must live as long as this object.
  virtual void declare(job_options& options) = 0;

  /// Returns how many of the last `words` must not be parsed; `words` is the command line after the name of the job. These words
  /// become run_settings::tail.
  virtual std::size_t unparsed_words(const std::vector<std::string>& /*words*/, const job_options& /*options*/) const { return 0; }

  /// Performs the checks that are possible before the work starts. It runs once; it may set members, but must not change files. The
  /// default checks --output. Throws: usage_error; any other exception is reported as a usage error, too.
  virtual void check(const run_settings& settings) { settings.output.check(); }
};

/// A job: a subcommand whose work runs on the pool.
class job : public subcommand {
 public:
  /// Returns whether the job prints to job_run::out(). The engine then opens this output before run(), so that an output that
  /// cannot be written is an error before the work, and a run without results makes an empty file. The output is not part of the
  /// identity of a run: another run with the same journal may print elsewhere.
  virtual bool prints(const run_settings& /*settings*/) const { return true; }

  /// Performs the work, on rank 0. Throws: usage_error, output_error, file_error, verification_error, and what tasks throw.
  virtual void run(job_run& run) = 0;
};

/// A subcommand that needs no workers: it runs in one process and does not start MPI.
class local_command : public subcommand {
 public:
  /// Performs the work and returns the exit status. Throws: as job::run().
  virtual int run() = 0;
};

/// Adds a subcommand to `rankpool`. The source file of each job ends with a constant of this type.
class subcommand_entry {
 public:
  using factory = std::function<std::unique_ptr<subcommand>()>;
  subcommand_entry(std::string name, std::string summary, factory make);
};

/// Registers a job that is constructed from `arguments`.
template <class Subcommand>
class job_entry : subcommand_entry {
 public:
  template <class... Arguments>
  job_entry(std::string name, std::string summary, Arguments... arguments)
      : subcommand_entry(std::move(name), std::move(summary),
                         [arguments...] { return std::make_unique<Subcommand>(arguments...); }) {}
};

}  // namespace jobs

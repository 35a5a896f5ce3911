// The pattern that every job follows: one function adds its subcommand and says what to do once it is chosen.
//
// Parsing happens before MPI starts, on every rank alike; `check` looks at the world outside (files, other options)
// once, before the work or even the launch; `work` then runs on rank 0 alone. Only rank 0 prints.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <rankpool/rankpool.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/progress.hpp"
#include "support/resumable.hpp"
#include "support/run_report.hpp"

namespace jobs {

/// A mistake in what was asked for: main() prints it as one line on stderr and exits with status 2.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A result does not stand its --verify: what() says which test it failed. The exit status is 1.
struct verification_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the options common to all jobs say, what the chosen job asks for, and what it tells while it runs.
struct command_context {
  int max_workers = 0;          // --workers: most workers used at once; 0: all
  long long chunksize = 0;      // --chunksize, where a job has it: items in a task; 0: the job decides
  bool verify = false;          // --verify, where a job has it
  bool json = false;            // --json: one object on stdout
  bool quiet = false;           // --quiet: no progress
  bool verbose = false;         // --verbose: which workers run where, and what was decided and why, on stderr
  resumable_options resumable;  // --journal, --stop-before

  std::vector<std::string> words;  // of the command line, without
  std::vector<std::string> tail;   // which a job has taken away, as it is not for the parser

  std::function<void()> check;                     // may be empty; throws usage_error
  std::function<int(rankpool::cluster&)> program;  // the exit status of the command, usually 0
  std::function<int()> own_program;                // instead: of what is not a job and needs no cluster
  std::string parameters;                          // of the job, defaults included, as a JSON object

  // Identity of a run, for its journal: the job, and the values that its results depend on.
  std::set<const CLI::Option*> without_effect;      // options that the results do not depend on
  std::map<std::string, std::string> surroundings;  // values that they depend on and that are not options, by name
  std::string subject;                              // all that as text

  run_report report;
  progress shown;
  rankpool::journal journal;  // open while the job runs; none without --journal

  /// For `rankpool::executor pool(cluster, context.executor_options())`.
  rankpool::executor_options executor_options() const {
    return {.max_workers = max_workers, .initializer = {}, .journal = journal};
  }
  /// With --journal, before anything else. Throws: usage_error for one that does not fit.
  void open_journal();
  /// The value of an option that says how the work is divided: `value`, or that of the first run that has used the journal.
  std::string divided_as(const std::string& option, const std::string& value);
  /// For how many workers the work is divided: those of the pool, or of the first run that has used the journal.
  int divided_for(const rankpool::executor& pool);
  /// A number that nobody can foresee, the same in all runs with the journal.
  std::uint64_t seed();
  /// A file that workers read is what it was when the journal was begun, or else usage_error.
  void expect_unchanged(const std::string& path);
  /// What --chunksize says, else what the job finds right.
  template <class Integer>
  Integer chunk_or(Integer own_choice) const {
    return chunksize > 0 ? static_cast<Integer>(chunksize) : own_choice;
  }
  /// A line on stderr, but not with --quiet.
  void note(const std::string& text) const;
  /// With --verbose, a line on stderr: what was decided and why.
  void explain(const std::string& decision) const;
  /// Notes that the result has stood a test, or throws verification_error. `test` goes on from "that": "the sum is n(n+1)/2".
  void verified(bool holds, const std::string& test);
};

using job_check = std::function<void()>;
using job_work = std::function<int(rankpool::cluster&, command_context&)>;

/// Adds the subcommand `name` with its one-line `summary`; the caller then adds options to what is returned.
/// `work` runs on rank 0 if the job is chosen, after `check`, which throws for what cannot be done: a usage_error, or what
/// becomes one.
CLI::App& add_job(CLI::App& app, command_context& context, const std::string& name, const std::string& summary, job_work work,
                  job_check check = {});

/// The same for what is not a job but a look at something: `work` runs in one process, without MPI, and returns the exit status.
CLI::App& add_command(CLI::App& app, command_context& context, const std::string& name, const std::string& summary,
                      std::function<int()> work, job_check check = {});

/// Makes a job or command part of `rankpool`: one of these stands at the end of its file.
struct job_entry {
  using adder = void (*)(CLI::App&, command_context&);
  job_entry(std::string name, adder add);
};

/// Adds all there are, in the order of their names.
void add_all_jobs(CLI::App& app, command_context& context);

/// Options that most jobs have, with what they mean there.
void add_chunksize(CLI::App& job, command_context& context, const std::string& help);
void add_verify(CLI::App& job, command_context& context, const std::string& help);

/// Adds an option whose value is an input file; a journal knows the file however its path is written.
CLI::Option* add_input_file(CLI::App& job, const std::string& name, std::string& path, const std::string& help);

/// The absolute path behind symbolic links; `path` itself if it is empty or cannot be resolved.
std::string canonical_path(const std::string& path);

}  // namespace jobs

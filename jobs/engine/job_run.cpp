#include "engine/job_run.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <random>
#include <rankpool/written_files.hpp>
#include <utility>

#include "support/in_quotes.hpp"

namespace jobs {
namespace {

/// Returns the CPU time of this process in seconds.
double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Returns the resident memory of this process; 0 if it is unknown.
std::uint64_t resident_bytes() {
  std::ifstream sizes("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(sizes >> all >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string host_name() {
  std::array<char, 256> name{};
  (void)::gethostname(name.data(), name.size() - 1);
  return name.data();
}

run_status::stage stage_of(run_report::ending how) {
  switch (how) {
    case run_report::ending::done: return run_status::stage::done;
    case run_report::ending::stopped: return run_status::stage::stopped;
    default: return run_status::stage::failed;
  }
}

}  // namespace

job_run::job_run(rankpool::cluster& cluster, run_settings settings, std::string job, const std::string& subject)
    : cluster_(cluster),
      settings_(std::move(settings)),
      job_(std::move(job)),
      chunksize_(settings_.chunksize),
      failures_(settings_.max_failures) {
  if (!has_journal()) return;
  try {
    journal_ = rankpool::journal(journal_name(), subject);
  } catch (const rankpool::journal_error& error) {
    throw usage_error(error.what());
  }
  chunksize_ = std::stoll(divided_as("--chunksize", std::to_string(chunksize_)));
}

rankpool::executor& job_run::pool() {
  if (!pool_) failures_.apply_to(&pool_.emplace(cluster_, executor_options()));
  return *pool_;
}

rankpool::executor_options job_run::executor_options() const {
  rankpool::executor_options options{.max_workers = settings_.max_workers, .initializer = {}, .journal = journal_};
  if (!settings_.isolate) return options;
  options.isolation = rankpool::isolation::process;
  options.retries = settings_.retries;
  options.crash_limit = settings_.retries + 1;
  if (settings_.task_timeout_seconds) {
    options.task_timeout =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(*settings_.task_timeout_seconds));
  }
  return options;
}

rankpool::executor job_run::pool_without_journal() const {
  rankpool::executor_options options = executor_options();
  options.journal = {};
  return rankpool::executor(cluster_, std::move(options));
}

int job_run::workers() { return std::stoi(journal_.recall("workers", std::to_string(pool().num_workers()))); }

std::string job_run::divided_as(const std::string& option, const std::string& value) {
  const std::string first = journal_.recall(option, value);
  if (first != value) {
    note(option + " is " + (first == "0" ? "its default" : first) + ", as in the first run with journal " +
         in_quotes(journal_name()));
  }
  return first;
}

std::uint64_t job_run::seed() { return std::stoull(journal_.recall("seed", std::to_string(std::random_device{}()))); }

int job_run::tasks_in_flight(std::size_t result_bytes) {
  constexpr std::size_t most_bytes = std::size_t{256} << 20;
  const auto workers = static_cast<std::size_t>(pool().num_workers());
  const std::size_t most = most_bytes / std::max<std::size_t>(result_bytes, 1);
  return static_cast<int>(std::clamp(most, workers + 1, 16 * workers));
}

void job_run::expect_unchanged(const std::string& path) {
  struct stat status {};
  if (!has_journal() || ::stat(path.c_str(), &status) != 0) return;  // missing: the code that reads the file reports it
  const std::string now = std::to_string(status.st_size) + " bytes of " + std::to_string(status.st_mtim.tv_sec) + "." +
                          std::to_string(status.st_mtim.tv_nsec);
  if (journal_.recall("file " + rankpool::canonical_path(path), now) == now) return;
  throw usage_error("input " + in_quotes(path) + " was modified after journal " + in_quotes(journal_name()) +
                    " was created; start a new journal");
}

output& job_run::out() {
  if (!out_) out_.emplace(*this, settings_.output);
  return *out_;
}

void job_run::note(const std::string& text) const {
  if (!settings_.quiet) std::cerr << "rankpool: " + printable(text) + "\n";
}

void job_run::explain(const std::string& decision) const {
  if (settings_.verbose) std::cerr << "rankpool: " + printable(decision) + "\n";
}

void job_run::verified(bool holds, const std::string& statement) {
  if (!holds) throw verification_error("verification failed; the check was: " + statement);
  report_.verified(statement);
  explain("verified: " + statement);
}

void job_run::verified(bool holds, const std::string& statement, const checked_results& results) {
  if (!holds || results.are_all_verified()) verified(holds, statement);
  report_.checked(results);
  if (results.are_all_verified()) return;
  std::string text = results.text();
  if (results.verified > 0) {
    text.append(": ").append(statement);
    report_.verified(text);
  }
  settings_.verbose ? explain("verified: " + text) : note("verified: " + text);
}

bool job_run::may_start_more() {
  if (!failures_.is_reached()) return true;
  is_cut_off_ = true;
  return false;
}

bool job_run::take_failure(const std::string& item) {
  if (!failures_.is_given()) throw;
  std::string line = "rankpool ";
  line.append(job_).append(": ").append(item).append(" failed: ");
  try {
    throw;
  } catch (const std::exception& error) {
    if (is_cut_off_by(error)) {
      is_cut_off_ = true;
      return false;
    }
    if (!is_task_failure(error)) throw;
    line.append(error.what());
  }
  failures_.count();
  exit_status_ = 1;
  shown_.count_failure();
  shown_.make_way();
  std::ranges::replace(line, '\n', ' ');
  std::cerr << printable(line) + "\n";
  return true;
}

bool job_run::is_cut_off_by(const std::exception& error) const {
  return failures_.is_reached() && (dynamic_cast<const rankpool::cancelled_error*>(&error) != nullptr ||
                                    dynamic_cast<const rankpool::pool_closed*>(&error) != nullptr);
}

std::string job_run::summary_of_limit() {
  if (pool_) pool_->shutdown({.wait = true, .cancel_futures = true});
  return summary(failures_.option());
}

std::string job_run::summary_of_failure(const std::exception& error) {
  if (!failures_.is_given() || !is_task_failure(error)) return {};
  failures_.count();
  if (pool_) pool_->shutdown({.wait = false, .cancel_futures = true});  // the result is lost, whatever still runs
  return summary("");
}

std::string job_run::summary(const std::string& option) {
  return failure_limit::summary(failures_.failed(), shown_.left(cluster_.statistics().tasks + journal_.restored()), has_journal(),
                                "task", option);
}

void job_run::start(const std::string& parameters) {
  if (settings_.json) report_.start(job_, parameters);
  shown_.start(job_, [this] { return pool_counts(); });
  if (!settings_.quiet) shown_.show();
  if (settings_.status.empty()) return;
  const auto complain = [this](const std::string& message) {
    shown_.make_way();
    std::cerr << "rankpool " + job_ + ": " + message + "\n";
  };
  status_.emplace(
      settings_.status, [this](run_status::stage stage, const std::string& error) { return status(stage, error).to_json(); },
      complain, has_journal());
}

progress::pool_counts job_run::pool_counts() const {
  const auto statistics = cluster_.statistics();
  return {.tasks = statistics.tasks,
          .restored = journal_.restored(),
          .retries = statistics.retries,
          .workers = workers_in_use(),
          .workers_lost = statistics.workers_lost,
          .busy_seconds = std::chrono::duration<double>(statistics.busy).count()};
}

int job_run::workers_in_use() const {
  const int all = cluster_.num_workers();
  return settings_.max_workers > 0 ? std::min(settings_.max_workers, all) : all;
}

// Thread safety: any thread.
run_status job_run::status(run_status::stage stage, const std::string& error) {
  const auto statistics = cluster_.statistics();
  run_status now{.job = job_,
                 .command = settings_.command_line,
                 .host = host_name(),
                 .pid = ::getpid(),
                 .started = begin_time_,
                 .updated = std::chrono::system_clock::now(),
                 .is = stage,
                 .error = error,
                 .figures = shown_.figures(),
                 .cpu_seconds = own_cpu_seconds() + std::chrono::duration<double>(statistics.cpu_time).count(),
                 .resident_bytes = resident_bytes()};
  if (stage != run_status::stage::running) {
    now.figures.remaining_seconds.reset();
    now.figures.rate = static_cast<double>(now.figures.done - std::min(now.figures.done, now.figures.restored)) /
                       std::max(now.figures.elapsed_seconds, 1e-9);
    now.figures.busy_share = std::min(1.0, std::chrono::duration<double>(statistics.busy).count() /
                                               (workers_in_use() * std::chrono::duration<double>(statistics.uptime).count()));
  }
  now.set_workers(cluster_.workers(), cluster_.worker_statistics());
  return now;
}

void job_run::finish() {
  if (out_) out_->finish();
  out_.reset();
  failures_.apply_to(nullptr);
  pool_.reset();
  finish_report(exit_status_ == 0 ? run_report::ending::done : run_report::ending::failed, "some tasks failed");
}

void job_run::fail(run_report::ending how, const std::string& error) {
  out_.reset();
  if (pool_) pool_->shutdown({.wait = false, .cancel_futures = true});  // its destructor would wait for all tasks
  try {
    finish_report(how, error);
  } catch (const output_error&) {  // stdout fails as well: the first error is reported
  }
}

void job_run::finish_report(run_report::ending how, const std::string& error) {
  if (std::exchange(is_finished_, true)) return;
  shown_.stop();
  if (status_) status_->finish(stage_of(how), how == run_report::ending::done ? "" : error);
  const std::uint64_t restored = journal_.restored();
  if (restored > 0 && !settings_.quiet) {
    std::cerr << "rankpool " + job_ + ": " + std::to_string(restored) + " finished tasks were restored from the journal " +
                     printable(journal_name()) + "\n";
  }
  const auto statistics = cluster_.statistics();
  report_.finish({.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(),
                  .cpu_seconds = own_cpu_seconds() + std::chrono::duration<double>(statistics.cpu_time).count(),
                  .tasks = statistics.tasks,
                  .restored = restored,
                  .workers = workers_in_use(),
                  .workers_lost = statistics.workers_lost,
                  .tasks_lost = statistics.tasks_lost},
                 how, error);
}

}  // namespace jobs

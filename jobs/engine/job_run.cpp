#include "engine/job_run.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <utility>

#include "support/canonical_path.hpp"
#include "support/in_quotes.hpp"

namespace jobs {

job_run::job_run(rankpool::cluster& cluster, run_settings settings, const std::string& subject)
    : cluster_(cluster), settings_(std::move(settings)), chunksize_(settings_.chunksize) {
  settings_.output.journal = settings_.resumable.journal;
  if (!has_journal()) return;
  try {
    journal_ = rankpool::journal(journal_name(), subject);
  } catch (const rankpool::journal_error& error) {
    throw usage_error(error.what());
  }
  chunksize_ = std::stoll(divided_as("--chunksize", std::to_string(chunksize_)));
}

rankpool::executor& job_run::pool() {
  if (!pool_) pool_.emplace(cluster_, executor_options());
  return *pool_;
}

rankpool::executor_options job_run::executor_options() const {
  return {.max_workers = settings_.max_workers, .initializer = {}, .journal = journal_};
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
  if (journal_.recall("file " + canonical_path(path), now) == now) return;
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

void job_run::finish() {
  if (out_) out_->finish();
  out_.reset();
  pool_.reset();
}

void job_run::abandon() noexcept {
  out_.reset();
  pool_.reset();
}

}  // namespace jobs

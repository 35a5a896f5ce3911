#include "trace/run_trace.hpp"

#include "dispatcher/pool.hpp"
#include "support/log.hpp"

#include <rankpool/errors.hpp>

#include <utility>

namespace rankpool::detail {
namespace {

std::shared_ptr<recorder> make_recorder(const std::string& file, const recorder::leader& rank_0,
                                        const std::vector<recorder::place>& workers, std::exception_ptr& failure) {
  if (file.empty()) return nullptr;
  try {
    return std::make_shared<recorder>(file, rank_0, workers);
  } catch (const error&) {
    failure = std::current_exception();
    return nullptr;
  }
}

}  // namespace

run_trace::run_trace(const std::string& file, const recorder::leader& rank_0, const std::vector<recorder::place>& workers)
    : file_(file), recorder_(make_recorder(file, rank_0, workers, failure_)) {}

std::function<int(cluster&)> run_trace::around(std::function<int(cluster&)> lead) {
  if (failure_ == nullptr && recorder_ == nullptr) return lead;
  return [this, lead = std::move(lead)](cluster& c) {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    try {
      const int status = lead(c);
      cluster_access::get(c)->drain();
      return finish(status);
    } catch (const stopped_error&) {
      (void)finish(1, "was stopped early");
      throw;
    } catch (...) {
      (void)finish(1, "failed: " + describe(std::current_exception()));
      throw;
    }
  };
}

int run_trace::finish(int status) {
  return finish(status, status == 0 ? std::string() : "ended with status " + std::to_string(status));
}

int run_trace::finish(int status, const std::string& ending) {
  const std::string problem = recorder_ == nullptr ? std::string() : recorder_->finish(ending);
  if (problem.empty()) return status;
  log_line("the trace '" + file_ + "' is incomplete: " + problem);
  return status == 0 ? 1 : status;
}

}  // namespace rankpool::detail

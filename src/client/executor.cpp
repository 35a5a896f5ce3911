// Defines the members of executor that are not templates.
#include <rankpool/executor.hpp>

#include "client/chunk_retries.hpp"
#include "client/map_job.hpp"
#include "journal/file.hpp"
#include "journal/journal_call.hpp"
#include "journal/recorder.hpp"
#include "journal/replay.hpp"
#include "journal/tasks.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace rankpool {
namespace {

// Checks the options about runner processes. Throws: std::invalid_argument.
detail::runner_settings runner_settings_of(const executor_options& options) {
  const auto require = [](bool holds, const std::string& what) {
    if (!holds) throw std::invalid_argument("executor_options::" + what);
  };
  const bool isolated = options.isolation == isolation::process;
  require(options.max_tasks_per_child >= 0,
          "max_tasks_per_child must be 0 (no limit) or more, got " + std::to_string(options.max_tasks_per_child));
  require(options.crash_limit >= 1, "crash_limit must be 1 or more, got " + std::to_string(options.crash_limit));
  require(isolated || options.max_tasks_per_child == 0, "max_tasks_per_child requires isolation::process");
  require(isolated || options.memory_limit_bytes == 0, "memory_limit_bytes requires isolation::process");
  return {options.memory_limit_bytes, static_cast<std::uint32_t>(options.max_tasks_per_child),
          static_cast<std::uint32_t>(options.crash_limit), isolated ? 1U : 0U};
}

// The retries that an executor, a task or a map asks for.
struct retry_options {
  int retries = 0;
  std::function<bool(const std::exception_ptr&)> retry_if = {};
  std::chrono::nanoseconds backoff{};

  bool is_given() const { return retries != 0 || retry_if || backoff.count() != 0; }
};

// How a task runs: what its worker is told, and what rank 0 decides itself.
struct task_terms {
  detail::task_limits limits;
  std::shared_ptr<const detail::retry_policy> retries;  // null: rank 0 runs nothing again
};

// Throws: std::invalid_argument.
void check_range(const std::string& group, const retry_options& options) {
  constexpr int max_retries = std::numeric_limits<std::uint16_t>::max();
  if (options.retries < 0 || options.retries > max_retries) {
    throw std::invalid_argument(group + "retries must be 0 to " + std::to_string(max_retries) + ", got " +
                                std::to_string(options.retries));
  }
  if (options.backoff.count() < 0) throw std::invalid_argument(group + "backoff must not be negative");
}

void set_timeout(detail::task_limits& limits, const detail::timeout& timeout) {
  if (!timeout) return;
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
  constexpr std::int64_t longest = detail::task_limits::no_timeout - 1;
  limits.timeout_milliseconds = static_cast<std::uint32_t>(std::clamp<std::int64_t>(milliseconds, 0, longest));
}

// The limits of tasks whose options give none. Throws: std::invalid_argument.
detail::task_limits default_limits_of(const executor_options& options) {
  const std::string group = "executor_options::";
  check_range(group, {.retries = options.retries});
  if (options.isolation != isolation::process && (options.task_timeout || options.retries > 0)) {
    throw std::invalid_argument(group + (options.task_timeout ? "task_timeout" : "retries") + " requires isolation::process");
  }
  detail::task_limits limits{.retries = static_cast<std::uint32_t>(options.retries)};
  set_timeout(limits, options.task_timeout);
  return limits;
}

// `group`, `name`: of the options and of their time limit, for messages. Throws: std::invalid_argument.
task_terms terms_of(const detail::executor_core& core, const std::string& group, const std::string& name,
                    const detail::timeout& timeout, retry_options options) {
  task_terms terms{core.default_limits(), nullptr};
  if (!timeout && !options.is_given()) return terms;
  check_range(group, options);
  const bool needs_isolation = timeout || (options.retries > 0 && !options.retry_if);
  if (needs_isolation && !core.is_isolated()) {
    throw std::invalid_argument(group + (timeout ? name : "retries") + " requires an executor with isolation::process" +
                                (timeout ? "" : ", or " + group + "retry_if"));
  }
  set_timeout(terms.limits, timeout);
  if (options.retries > 0) terms.limits.retries = static_cast<std::uint32_t>(options.retries);
  if (!options.retry_if && options.backoff.count() == 0) return terms;
  const std::uint32_t retries = std::exchange(terms.limits.retries, 0);  // rank 0 decides instead of the worker
  if (retries == 0) {
    throw std::invalid_argument(group + (options.retry_if ? "retry_if" : "backoff") + " requires " + group + "retries");
  }
  terms.retries = std::make_shared<const detail::retry_policy>(
      detail::retry_policy{static_cast<int>(retries), core.crash_limit(), std::move(options.retry_if), options.backoff});
  return terms;
}

}  // namespace

executor::executor(cluster& c, executor_options options)
    : core_(detail::executor_core::open(detail::cluster_access::get(c), options.max_workers, options.initializer.encoded(),
                                        options.max_pending, runner_settings_of(options), default_limits_of(options))),
      journal_(std::move(options.journal)),
      exceptions_(std::uncaught_exceptions()) {}

executor& executor::operator=(executor&& other) noexcept {
  if (this != &other) {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
  }
  return *this;
}

executor::~executor() {
  if (core_ == nullptr) return;
  const bool failing = std::uncaught_exceptions() > exceptions_;
  core_->shutdown(!failing, failing);
}

int executor::num_workers() const { return core()->num_workers(); }

void executor::shutdown(shutdown_options options) { core()->shutdown(options.wait, options.cancel_futures); }

void executor::terminate_workers() { core()->end_processes(SIGTERM); }

void executor::kill_workers() { core()->end_processes(SIGKILL); }

const std::shared_ptr<detail::executor_core>& executor::core() const {
  if (core_ == nullptr) throw pool_closed("this executor was moved from");
  return core_;
}

detail::map_call_ptr executor::start(const map_options& options, const detail::call_description& what, detail::encoded_head head,
                                     const detail::input_feed& feed) {
  (void)detail::buffer_limit(options.buffersize);
  if (options.chunksize < 0) {
    throw std::invalid_argument("chunksize must be 0 (chosen by measured time) or more, got " + std::to_string(options.chunksize));
  }
  auto terms = terms_of(*core(), "map_options::", "task_timeout", options.task_timeout,
                        {options.retries, options.retry_if, options.backoff});
  const bool has_own_journal = detail::journal_access::get(options.journal) != nullptr;
  const journal& kept_in = has_own_journal ? options.journal : journal_;
  auto record = detail::journal_call::begin(kept_in, what, head.bytes, head.references);

  auto source = feed.source();
  std::unique_ptr<detail::call_recorder> observer;
  if (record != nullptr) observer = std::make_unique<detail::call_recorder>(record);
  detail::call_recorder* const recorder = observer.get();
  if (recorder != nullptr) source = std::make_unique<detail::recorded_source>(std::move(source), *recorder);
  std::unique_ptr<detail::chunk_retries> retries;
  if (terms.retries != nullptr) retries = std::make_unique<detail::chunk_retries>(std::move(terms.retries), what.by_items);
  auto job = detail::make_job<detail::map_job>(core(), what.function, what.identity, what.by_items,
                                               static_cast<std::uint64_t>(options.chunksize), std::move(head), std::move(source),
                                               std::move(retries));
  job->set_limits(terms.limits);
  if (recorder != nullptr) {
    recorder->on_failure = [call = job.get()](const std::exception_ptr& why) { call->cancel(why); };
    job->observer = std::move(observer);
  }
  core()->submit(job, options.priority);
  detail::resumable_map_call_ptr call(job.detach());
  if (recorder == nullptr) return call;
  return detail::replay::of(std::move(call), std::move(record), feed.source(), *recorder);
}

// Restores the task's result from the journal, or submits the task.
void executor::enter(detail::future_state_base& state, const task_options& options, const std::type_info& callable,
                     const std::type_info& result) {
  const bool is_plain = !options.timeout && options.retries == 0 && !options.retry_if && options.backoff.count() == 0;
  if (core()->is_isolated() || !is_plain) {
    task_terms terms =
        terms_of(*core(), "task_options::", "timeout", options.timeout, {options.retries, options.retry_if, options.backoff});
    state.set_limits(terms.limits);
    if (terms.retries != nullptr) state.retry_by(std::move(terms.retries));
  }
  if (detail::journal_access::get(journal_) != nullptr && restore(state, callable, result)) return;
  const bool has_place = core()->take_place();
  if (has_place) state.hold_place();
  try {
    core()->submit(&state, options.priority);
  } catch (...) {
    if (has_place) core()->on_place_free();
    throw;
  }
}

// Completes a task with its result from the journal, or with an error of the journal. Returns false if the journal has no result:
// then its result will be recorded.
bool executor::restore(detail::future_state_base& state, const std::type_info& callable, const std::type_info& result) {
  auto tasks = detail::journal_tasks::of(journal_, {state.function, state.identity, callable, result, false});
  detail::outcome known;
  try {
    const detail::digest input = state.input();
    auto found = tasks->take(input);
    if (!found) {
      state.observer = std::make_unique<detail::task_recorder>(std::move(tasks), input);
      return false;
    }
    known = std::move(*found);
  } catch (...) {  // usually journal_error or std::bad_alloc
    known.error = std::current_exception();
  }
  state.restore(std::move(known));
  return true;
}

}  // namespace rankpool

#include "exec/farm.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exec/environment.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t fewest_per_worker = 2;  // one runs and one waits
constexpr std::uint64_t most_per_worker = 256;

constexpr auto between_stop_checks = std::chrono::milliseconds(200);  // interval of checks for a stop request

using outcome_future = rankpool::future<command_outcome>;

using clock = std::chrono::steady_clock;

struct finished_command {
  command what;
  int tries = 1;
  outcome_future future;
};

// A command that waits for its start, with --delay.
struct waiting_command {
  command what;
  int tries = 1;
  std::optional<command_outcome> last;  // outcome of the previous try
};

// The state that both threads and the callbacks share. Callbacks may still run after both threads have ended.
struct farm_state {
  std::mutex mutex;
  std::condition_variable room;  // signals the input thread that it may submit more
  std::condition_variable news;
  std::vector<finished_command> finished;
  std::deque<waiting_command> waiting;
  std::uint64_t under_way = 0;  // including waiting commands
  std::uint64_t concluded = 0;
  std::uint64_t typical_bytes = 1;  // estimated output of a command; it rises at once and falls slowly
  std::uint64_t fed = 0;
  std::uint64_t to_print = 1;
  bool input_ended = false;
  bool stopping = false;
  std::exception_ptr input_error;
};

// The executor's initializer. `slots` has the slot of each worker, indexed by rank.
void prepare_worker(const command_limits& limits, const std::vector<int>& slots) {
  const int rank = rankpool::this_worker::rank();
  set_worker_variables(rank, slots.at(static_cast<std::size_t>(rank)));
  set_command_limits(limits);
}

class farm {
 public:
  farm(rankpool::cluster& cluster, rankpool::executor_options pool_options, command_source& source, const farm_options& options)
      : source_(source),
        options_(options),
        delay_(std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(std::min(options.delay_seconds, 1e9)))),
        limits_(limits_of(options)),
        journal_(pool_options.journal),
        pool_(cluster, with_initializer(std::move(pool_options), limits_, slots_of(cluster))) {}

  bool run(const farm_events& events) {
    std::thread feeder([this] { feed(); });
    try {
      attend(events);
    } catch (...) {
      stop();
      feeder.join();
      throw;
    }
    feeder.join();
    if (state_->input_error != nullptr) std::rethrow_exception(state_->input_error);
    return !left_;
  }

 private:
  // With max_failures and without a delay, the worker itself retries a command: it has to know at once whether a try was the last.
  // Otherwise rank 0 submits the next try, which any worker may run.
  static command_limits limits_of(const farm_options& options) {
    if (options.delay_seconds > 0 || options.max_failures == 0) return {.timeout_seconds = options.timeout_seconds};
    return {options.timeout_seconds, options.tries, options.max_failures};
  }

  // Sends limits with the initializer, not with each command: a journal identifies a command by all of its arguments.
  static rankpool::executor_options with_initializer(rankpool::executor_options options, const command_limits& limits,
                                                     const std::vector<int>& slots) {
    options.initializer = rankpool::partial(prepare_worker, limits, slots);
    return options;
  }

  // Returns the slot of each worker on its node, indexed by rank.
  static std::vector<int> slots_of(const rankpool::cluster& cluster) {
    std::map<std::string, int> workers_of_node;
    std::vector<int> slots;
    for (const rankpool::worker_info& worker : cluster.workers()) {
      slots.resize(static_cast<std::size_t>(worker.rank) + 1);
      slots.back() = workers_of_node[worker.host]++;
    }
    return slots;
  }

  bool is_delayed() const { return options_.delay_seconds > 0; }

  void submit(command what, int tries) {
    auto future = pool_.submit({.priority = tries > 1 ? 1 : 0}, run_command_or_throw, what);
    future.add_done_callback([state = state_, what = std::move(what), tries](const outcome_future& done) mutable {
      const std::lock_guard lock(state->mutex);
      state->finished.push_back({std::move(what), tries, done});
      state->news.notify_one();
    });
  }

  // Returns false if the pool accepts no more tasks.
  bool submit_or_note(command what) {
    try {
      submit(std::move(what), 1);
      return true;
    } catch (...) {
      const std::lock_guard lock(state_->mutex);
      --state_->under_way;
      if (!state_->stopping) throw;
      return false;
    }
  }

  /// Returns how many commands may be in flight. Their outputs are not yet printed, so this bounds memory. The first commands have
  /// an unknown output size, so their number starts small and grows with each finished command.
  std::uint64_t most_under_way() const {
    const auto workers = static_cast<std::uint64_t>(std::max(pool_.num_workers(), 1));
    const std::uint64_t fewest = fewest_per_worker * workers;
    const std::uint64_t most = std::min(fewest + state_->concluded, most_per_worker * workers);
    return std::clamp(options_.most_bytes / state_->typical_bytes, fewest, most);
  }

  void feed() {
    std::exception_ptr error;
    try {
      while (auto what = source_.next()) {
        {
          std::unique_lock lock(state_->mutex);
          state_->room.wait(lock, [&] {
            return state_->stopping ||
                   (state_->under_way < most_under_way() && what->sequence < state_->to_print + options_.most_ahead);
          });
          left_ = left_ || state_->stopping;
          if (state_->stopping) break;
          ++state_->under_way;
          ++state_->fed;
          if (is_delayed()) {
            state_->waiting.push_back({std::move(*what), 1, {}});
            state_->news.notify_one();
            continue;
          }
        }
        if (!submit_or_note(std::move(*what))) break;
      }
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(state_->mutex);
    left_ = left_ || (state_->stopping && !source_.is_exhausted());
    state_->input_error = error;
    state_->input_ended = true;
    state_->news.notify_one();
  }

  void attend(const farm_events& events) {
    bool known = false;
    for (;;) {
      start_due();
      std::vector<finished_command> batch;
      std::uint64_t total = 0;
      {
        std::unique_lock lock(state_->mutex);
        const auto is_over = [this] { return state_->input_ended && state_->under_way == 0; };
        if (state_->finished.empty() && !is_over()) {
          lock.unlock();
          events.on_idle();
          lock.lock();
          while (state_->finished.empty() && !is_over() && (known || !state_->input_ended)) {
            const auto due = next_start().value_or(clock::time_point::max());
            const bool is_timeout =
                state_->news.wait_until(lock, std::min(due, clock::now() + between_stop_checks)) == std::cv_status::timeout;
            if (clock::now() >= due) break;
            if (is_timeout && state_->under_way == state_->waiting.size() && !halted_) {
              lock.unlock();
              (void)pool_.share(0);  // throws after a stop request: with no task in flight, nothing else reports it
              lock.lock();
            }
          }
        }
        batch.swap(state_->finished);
        if (batch.empty() && is_over()) return;
        if (state_->input_ended && !std::exchange(known, true) && !left_) total = state_->fed;
      }
      if (total != 0) events.on_known(total);
      for (finished_command& one : batch) conclude(one, events);
    }
  }

  /// Returns the start time of the next waiting command, if a worker is free. The caller holds the lock.
  std::optional<clock::time_point> next_start() const {
    if (state_->waiting.empty() || running_ >= static_cast<std::uint64_t>(std::max(pool_.num_workers(), 1))) return std::nullopt;
    return next_start_;
  }

  /// Starts the commands that are due, with a delay. There are never more than workers, so that no command queues at a busy worker
  /// and starts later. A command that is restored from the journal does not delay the next.
  void start_due() {
    for (;;) {
      waiting_command next;
      {
        const std::lock_guard lock(state_->mutex);
        const auto due = next_start();
        if (!due || clock::now() < *due) return;
        next = std::move(state_->waiting.front());
        state_->waiting.pop_front();
        ++running_;
      }
      const std::uint64_t restored = journal_.restored();
      submit(std::move(next.what), next.tries);
      if (journal_.restored() == restored) next_start_ = clock::now() + delay_;
    }
  }

  void conclude(finished_command& one, const farm_events& events) {
    if (is_delayed()) --running_;
    command_outcome outcome;
    try {
      outcome = std::move(one.future).result();
    } catch (failed_command& failed) {
      outcome = std::move(failed.outcome);
    } catch (const rankpool::cancelled_error&) {
      outcome.was_run = false;
    } catch (const rankpool::worker_lost& lost) {  // with --isolate
      outcome.host = lost.host();
      outcome.rank = lost.rank();
      outcome.signal = lost.signal();
      outcome.status = lost.signal() == 0 ? std::max(lost.exit_status(), 1) : 0;
      outcome.ended_by_us = lost.what();
    } catch (const rankpool::timeout_error& late) {
      if (const auto* where = rankpool::remote_context(late)) outcome.host = where->host, outcome.rank = where->rank;
      outcome.status = -1;
      outcome.timed_out = true;
      outcome.ended_by_us = late.what();
    }
    const bool failed = outcome.was_run && outcome.failed();
    if (failed && one.tries < options_.tries && limits_.tries == 1 && !halted_) {
      if (!is_delayed()) return submit(std::move(one.what), one.tries + 1);
      const std::lock_guard lock(state_->mutex);
      state_->waiting.push_front({std::move(one.what), one.tries + 1, std::move(outcome)});
      return;
    }
    report(one.what, std::move(outcome), one.tries, events);
    if (failed && ++failures_ >= options_.max_failures && options_.max_failures != 0) halt(events);
  }

  void report(const command& what, command_outcome&& outcome, int tries, const farm_events& events) {
    const bool was_run = outcome.was_run;
    const std::uint64_t bytes = outcome.out.size() + outcome.err.size();
    tries += outcome.tries - 1;
    const std::uint64_t to_print = was_run ? events.on_done(what, std::move(outcome), tries) : 0;
    const std::lock_guard lock(state_->mutex);
    left_ = left_ || !was_run;
    --state_->under_way;
    ++state_->concluded;
    state_->typical_bytes = std::max({bytes, state_->typical_bytes - state_->typical_bytes / 64, std::uint64_t{1}});
    if (was_run) state_->to_print = std::max(state_->to_print, to_print);
    state_->room.notify_one();
  }

  void stop() {
    {
      const std::lock_guard lock(state_->mutex);
      state_->stopping = true;
    }
    state_->room.notify_one();
    source_.stop();
  }

  /// Stops starting commands. Commands that wait for another try are reported as failed.
  void halt(const farm_events& events) {
    if (std::exchange(halted_, true)) return;
    stop();
    pool_.shutdown({.wait = false, .cancel_futures = true});
    std::deque<waiting_command> waiting;
    {
      const std::lock_guard lock(state_->mutex);
      waiting.swap(state_->waiting);
    }
    for (waiting_command& one : waiting) {
      const int tries = one.last ? one.tries - 1 : 1;
      command_outcome outcome = std::move(one.last).value_or(command_outcome{});
      outcome.was_run = one.last.has_value();
      report(one.what, std::move(outcome), tries, events);
    }
  }

  command_source& source_;
  const farm_options options_;
  const clock::duration delay_;
  const command_limits limits_;
  const rankpool::journal journal_;
  std::uint64_t failures_ = 0;
  std::uint64_t running_ = 0;       // running commands; used only with a delay
  clock::time_point next_start_{};  // used only with a delay
  bool halted_ = false;
  bool left_ = false;  // some commands were not run; guarded by the mutex
  std::shared_ptr<farm_state> state_ = std::make_shared<farm_state>();
  rankpool::executor pool_;  // the last member: its destructor waits for tasks
};

}  // namespace

bool run_farm(rankpool::cluster& cluster, rankpool::executor_options pool_options, command_source& source,
              const farm_options& options, const farm_events& events) {
  return farm(cluster, std::move(pool_options), source, options).run(events);
}

}  // namespace jobs

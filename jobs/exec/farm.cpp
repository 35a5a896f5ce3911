#include "exec/farm.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace jobs {
namespace {

constexpr std::uint64_t fewest_per_worker = 2;  // one waits while one runs
constexpr std::uint64_t most_per_worker = 256;

using outcome_future = rankpool::future<command_outcome>;

struct finished_command {
  command what;
  int tries = 1;
  outcome_future future;
};

// What the two threads and the callbacks share; callbacks may come after both have gone.
struct farm_state {
  std::mutex mutex;
  std::condition_variable room;  // for the input to go on
  std::condition_variable news;
  std::vector<finished_command> finished;
  std::uint64_t under_way = 0;
  std::uint64_t concluded = 0;
  std::uint64_t typical_bytes = 1;  // what a command prints; what is much counts at once, and is forgotten slowly
  std::uint64_t fed = 0;
  std::uint64_t to_print = 1;
  bool input_ended = false;
  bool stopping = false;
  std::exception_ptr input_error;
};

class farm {
 public:
  farm(rankpool::executor& pool, command_source& source, const farm_options& options)
      : pool_(pool), source_(source), options_(options), limits_{.timeout_seconds = options.timeout_seconds} {
    if (options.halt_on_error) limits_ = {options.timeout_seconds, run_number(), options.tries};
  }

  void run(const farm_events& events) {
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
  }

 private:
  /// Not 0, and another one for each run in a process.
  static std::uint64_t run_number() {
    static std::uint64_t runs = 0;
    return ++runs;
  }

  void submit(command what, int tries) {
    auto future = pool_.submit({.priority = tries > 1 ? 1 : 0}, rankpool::partial(run_command_or_throw, limits_), what);
    future.add_done_callback([state = state_, what = std::move(what), tries](const outcome_future& done) mutable {
      const std::lock_guard lock(state->mutex);
      state->finished.push_back({std::move(what), tries, done});
      state->news.notify_one();
    });
  }

  // False: the pool takes no more.
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

  /// What is under way is not yet printed either, so this bounds memory. Nothing is known of the first: they are few, and more
  /// with each that is done.
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
          if (state_->stopping) break;
          ++state_->under_way;
          ++state_->fed;
        }
        if (!submit_or_note(std::move(*what))) break;
      }
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(state_->mutex);
    state_->input_error = error;
    state_->input_ended = true;
    state_->news.notify_one();
  }

  void attend(const farm_events& events) {
    bool known = false;
    for (;;) {
      std::vector<finished_command> batch;
      std::uint64_t total = 0;
      {
        std::unique_lock lock(state_->mutex);
        const auto ready = [this] { return !state_->finished.empty() || (state_->input_ended && state_->under_way == 0); };
        if (!ready()) {
          lock.unlock();
          events.on_idle();
          lock.lock();
          state_->news.wait(lock, [&] { return ready() || (state_->input_ended && !known); });
        }
        batch.swap(state_->finished);
        if (batch.empty() && state_->input_ended && state_->under_way == 0) return;
        if (state_->input_ended && !std::exchange(known, true)) total = state_->fed;
      }
      if (total != 0) events.on_known(total);
      for (finished_command& one : batch) conclude(one, events);
    }
  }

  void conclude(finished_command& one, const farm_events& events) {
    command_outcome outcome;
    try {
      outcome = std::move(one.future).result();
    } catch (failed_command& failed) {
      outcome = std::move(failed.outcome);
    } catch (const rankpool::cancelled_error&) {
      outcome.was_run = false;
    }
    if (outcome.was_run && outcome.failed()) {
      if (options_.halt_on_error) {
        halt();
      } else if (one.tries < options_.tries) {
        return submit(std::move(one.what), one.tries + 1);
      }
    }
    const bool was_run = outcome.was_run;
    const std::uint64_t bytes = outcome.out.size() + outcome.err.size();
    const int tries = one.tries + outcome.tries - 1;
    const std::uint64_t to_print = was_run ? events.on_done(one.what, std::move(outcome), tries) : 0;
    const std::lock_guard lock(state_->mutex);
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

  void halt() {
    if (std::exchange(halted_, true)) return;
    stop();
    pool_.shutdown({.wait = false, .cancel_futures = true});
  }

  rankpool::executor& pool_;
  command_source& source_;
  farm_options options_;
  // Where a failure halts the others, it must be known at once to be the last: the same worker tries again. Else any may.
  command_limits limits_;
  bool halted_ = false;
  std::shared_ptr<farm_state> state_ = std::make_shared<farm_state>();
};

}  // namespace

void run_farm(rankpool::executor& pool, command_source& source, const farm_options& options, const farm_events& events) {
  farm(pool, source, options).run(events);
}

}  // namespace jobs

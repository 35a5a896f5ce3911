#include "runner/isolated_runner.hpp"

#include "codec/runner_errors.hpp"
#include "runner/request.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_calls = 256;                    // of a batch
constexpr auto batch_time = 2ms;                           // a batch is to take about so long, so that handing it over costs little
constexpr auto look_interval = 1ms;                        // how often answers of an unfinished batch are passed on
constexpr std::chrono::nanoseconds shortest_pause = 20us;  // between two looks whether rank 0 has read the results
constexpr std::chrono::nanoseconds longest_pause = 1ms;
constexpr auto time_to_end = 2s;
constexpr std::uint32_t most_idle_starts = 5;
constexpr int most_fork_attempts = 5;
constexpr auto fork_pause = 100ms;

}  // namespace

isolated_runner::isolated_runner(fork_server& server, const worker_place& place, const runner_settings& settings, initializer first,
                                 int shares_descriptor, std::function<void()> drive)
    : server_(server),
      settings_(settings),
      initializer_(std::move(first)),
      drive_(std::move(drive)),
      control_memory_("rankpool-runner"),
      requests_("rankpool-requests"),
      log_("rankpool-answers"),
      control_(*new (control_memory_.allocate(sizeof(runner_control))) runner_control),
      answers_(control_, log_, drive_ != nullptr ? unread_ : nullptr) {
  control_.rank_pid = getpid();
  control_.requests_descriptor = requests_.descriptor();
  control_.answers_descriptor = log_.descriptor();
  control_.shares_descriptor = shares_descriptor;
  control_.rank = place.rank;
  std::strncpy(control_.host.data(), place.host.c_str(), control_.host.size() - 1);
  control_.settings = settings;
}

isolated_runner::~isolated_runner() {
  if (!has_process()) return;
  control_.ends.store(true);
  control_.requests.fetch_add(1);
  futex_wake(control_.requests);
  for (const bool is_killed : {false, true}) {
    if (is_killed) kill_process();
    const auto deadline = clock::now() + time_to_end;
    while (has_process() && server_.is_alive() && clock::now() < deadline) {
      const std::uint32_t seen = control_.events;
      if (has_process()) await_event(seen, clock::now() + 100ms);
    }
    if (!has_process() || !server_.is_alive()) return;
  }
}

std::chrono::nanoseconds isolated_runner::cpu_time() const {
  return std::chrono::nanoseconds(ended_cpu_nanoseconds_.load() + control_.cpu_nanoseconds.load());
}

// ---- withdrawing and ending calls, from other threads

void isolated_runner::prepare(std::size_t calls) {
  const std::lock_guard lock(opening_);
  is_open_ = false;
  limit_ = calls;
  aborted_ = nothing;
}

std::size_t isolated_runner::retract() {
  const std::lock_guard lock(opening_);
  if (!is_open_) {
    limit_ = 0;
  } else if (const std::uint32_t next = control_.claimed.exchange(runner_control::none_left); next < runner_control::none_left) {
    limit_ = std::min<std::size_t>(limit_, next);
  }
  return limit_;
}

std::size_t isolated_runner::started() const {
  const std::lock_guard lock(opening_);
  return is_open_ ? std::min<std::size_t>(limit_, control_.claimed) : 0;
}

void isolated_runner::abort(std::size_t index) {
  // The calls before the last started one have returned, and their answers are on the way.
  std::size_t before = aborted_;
  while ((before == nothing || before < index) && !aborted_.compare_exchange_weak(before, index)) {
  }
  control_.notify_rank();  // wakes run(), which knows whether the call still runs
}

void isolated_runner::end_process(int signal) {
  end_signal_ = signal;
  control_.notify_rank();
  const pid_t pid = control_.pid;
  if (pid > 0) kill(pid, signal);  // also if no call runs
}

// ---- a batch

void isolated_runner::run(std::span<const call> calls, const answer_handler& on_answer) {
  const auto begin = clock::now();
  await_idle();
  answered_ = 0;
  begin_call();
  if (end_signal_ != 0) return fail_started(calls, on_answer);
  if (!has_process()) start_process();
  if (!open_batch(calls)) return;
  run_batch(calls, on_answer);
  adapt_batch_size(calls.size(), clock::now() - begin);
}

void isolated_runner::begin_call() { current_ = {.begin = clock::now()}; }

// Writes the batch, and lets the runner claim its calls. Returns false if all of them were withdrawn meanwhile.
bool isolated_runner::open_batch(std::span<const call> calls) {
  const std::span<const std::byte> payload =
      initializer_.bulk != nullptr ? std::span<const std::byte>(initializer_.bulk->bytes()) : initializer_.payload;
  control_.blocks_by_address = server_.may_runners_read() ? 1 : 0;
  requests_.shrink();
  control_.request_bytes = write_request(requests_, {initializer_.function, payload, {}}, calls, control_.blocks_by_address != 0);
  control_.count = static_cast<std::uint32_t>(calls.size());
  control_.resumes = false;
  control_.item_call = 0;
  control_.answered_calls = 0;
  answers_.clear();
  const std::lock_guard lock(opening_);
  if (limit_ == 0) return false;
  control_.claimed = 0;
  is_open_ = true;
  request();
  return true;
}

void isolated_runner::run_batch(std::span<const call> calls, const answer_handler& on_answer) {
  for (;;) {
    const std::uint32_t seen = control_.events;
    const bool has_ended = control_.stage == runner_stage::dead;
    const bool was_through = is_through();
    take_answers(on_answer);
    if (answered_ >= limit()) return;
    if (has_ended) {
      handle_end(calls, on_answer);
      if (answered_ >= limit()) return;
      continue;
    }
    if (was_through && cause_ == cause::none) {  // its answers took much memory, and are read now
      await_reading();
      answers_.clear();
      control_.resumes = false;
      request();
      continue;
    }
    deliver_signals();
    const steady_time deadline = std::min(clock::now() + look_interval, check_limits(calls[answered_]));
    await_event(seen, deadline);
    require_server();
  }
}

// Waits until the process has gone through the last batch, or has ended: it may be on its way out after the last answer.
void isolated_runner::await_idle() {
  while (has_process() && (!is_through() || cause_ != cause::none)) {
    const std::uint32_t seen = control_.events;
    deliver_signals();
    if (has_process() && (!is_through() || cause_ != cause::none)) await_event(seen, clock::now() + 10ms);
    require_server();
  }
  await_reading();
  if (!has_process()) control_.finished.store(control_.requests);  // the next process must not run the last batch
}

// Waits until rank 0 has read the results that are in the process, or the process has ended.
void isolated_runner::await_reading() {
  auto pause = shortest_pause;
  while (has_process() && !unread_->await_none(0ns)) {
    drive_();
    if (unread_->await_none(pause)) return;
    pause = std::min(2 * pause, longest_pause);
    deliver_signals();
    require_server();
  }
}

void isolated_runner::take_answers(const answer_handler& on_answer) {
  while (cause_ != cause::damage) {
    std::optional<answer> next;
    try {
      next = answers_.next();
    } catch (const std::bad_alloc&) {
      damage_ = "its result could not be received: out of memory";
    } catch (const std::exception&) {
      damage_ = "its process has damaged the memory that it shares with the rank, and was killed";
    }
    if (!damage_.empty()) return doom(cause::damage);
    if (!next) return;
    if (current_.was_resumed) next->taken = clock::now() - current_.begin;
    ++answered_;
    begin_call();
    idle_starts_ = 0;
    on_answer(std::move(*next));
  }
}

void isolated_runner::answer_failed(byte_buffer exception, const answer_handler& on_answer) {
  const auto taken = std::max<std::chrono::nanoseconds>(clock::now() - current_.begin, 1ns);
  ++answered_;
  begin_call();
  on_answer({.bytes = std::move(exception), .out_of_band = {}, .threw = true, .taken = taken});
}

void isolated_runner::request() {
  control_.requests.fetch_add(1);
  control_.notify_runner();
}

void isolated_runner::await_event(std::uint32_t seen, steady_time deadline) {
  control_.rank_waits.store(1);
  if (control_.events == seen) futex_wait(control_.events, seen, deadline - clock::now());
}

void isolated_runner::adapt_batch_size(std::size_t calls, std::chrono::nanoseconds taken) {
  if (taken < batch_time / 2 && calls == batch_size_) batch_size_ = std::min(2 * batch_size_, most_calls);
  if (taken > 2 * batch_time) batch_size_ = std::max<std::size_t>(1, batch_size_ / 2);
}

// ---- the process

void isolated_runner::start_process() {
  for (int attempt = 1;; ++attempt) {
    ended_cpu_nanoseconds_ += control_.cpu_nanoseconds.exchange(0);
    ++control_.instance;
    control_.pid = 0;
    control_.is_initialized = false;
    control_.retires = false;
    control_.wait_status = 0;
    control_.supervisor_signal = 0;
    control_.start_error = 0;
    control_.began = 0;
    control_.is_doomed = false;
    control_.tail_end = 0;
    control_.stage = runner_stage::none;
    cause_ = cause::none;
    damage_.clear();
    server_.start_runner(control_memory_.descriptor(), control_.instance);
    if (control_.stage == runner_stage::none)
      throw error("a runner process cannot be started: the fork server cannot open its memory");
    if (control_.stage != runner_stage::dead || control_.start_error == 0) return;
    if (attempt == most_fork_attempts) {
      throw error("a runner process cannot be started on rank " + std::to_string(control_.rank) + ": " +
                  std::generic_category().message(control_.start_error));
    }
    std::this_thread::sleep_for(fork_pause);  // the limit of processes or the memory may be exhausted for a moment
  }
}

void isolated_runner::require_server() const {
  if (!has_process() || server_.is_alive()) return;
  throw error("the runner process of rank " + std::to_string(control_.rank) +
              " is lost, because the fork server of the rank has ended");
}

void isolated_runner::kill_process() {
  const pid_t pid = control_.pid;
  if (pid > 0 && has_process()) kill(pid, SIGKILL);
}

// Kills or signals the process if that was decided. Repeated, because its number is not known at once.
void isolated_runner::deliver_signals() {
  if (cause_ != cause::none) kill_process();
  const int signal = end_signal_;
  const pid_t pid = control_.pid;
  if (signal == 0 || pid <= 0 || std::exchange(signaled_instance_, control_.instance) == control_.instance) return;
  kill(pid, signal);
}

void isolated_runner::doom(cause why) {
  cause_ = why;
  doomed_call_ = answered_;
  doomed_begin_ = control_.began;
  kill_process();
}

// Kills the process if the current call is to be cancelled, or the current task or item exceeds its time limit. Returns when it
// will. While is_doomed is set, the process begins no other task or item, so that none is killed in the place of the one that is
// meant.
steady_time isolated_runner::check_limits(const call& current) {
  if (cause_ != cause::none || !is_started(answered_)) return steady_time::max();
  if (aborted_ == answered_) {
    control_.is_doomed = true;
    if (control_.answered_calls <= answered_) {
      doom(cause::abort);
    } else {
      control_.is_doomed = false;
    }
    return steady_time::max();
  }
  const std::int64_t began = control_.began;
  if (current.limits.timeout_milliseconds == task_limits::no_timeout || began == 0) return steady_time::max();
  const auto end = steady_time(std::chrono::nanoseconds(began)) + std::chrono::milliseconds(current.limits.timeout_milliseconds);
  if (clock::now() < end) return end;
  control_.is_doomed = true;
  if (control_.began == began) {
    doom(cause::time_limit);
  } else {
    control_.is_doomed = false;
  }
  return steady_time::max();
}

// ---- the end of a process within a batch

// Decides what becomes of the call that the process was running, and starts another process.
void isolated_runner::handle_end(std::span<const call> calls, const answer_handler& on_answer) {
  const bool is_killed = WIFSIGNALED(control_.wait_status) && WTERMSIG(control_.wait_status) == SIGKILL;
  if (cause_ != cause::damage && !is_killed) cause_ = cause::none;  // it has ended by itself before it could be killed
  if (cause_ == cause::damage || end_signal_ != 0) {
    fail_started(calls, on_answer);
  } else if (!control_.is_initialized && !control_.retires) {
    const bool has_initializer = initializer_.function.module != 0;
    if (has_initializer) throw initializer_failure{describe_end(calls[answered_])};
    if (++idle_starts_ >= most_idle_starts)
      throw error("rank " + std::to_string(control_.rank) + ": runner processes exit before they run a task");
  } else if (is_started(answered_)) {
    const call& current = calls[answered_];
    answers_.drop_item();
    control_.resumes = true;
    current_.was_resumed = true;
    if (is_between_items()) {
      if (++idle_starts_ >= most_idle_starts) fail_whole(current, on_answer);
    } else if (is_fault_of_current() && !may_run_again(current)) {
      fail_current(current, on_answer);
    }
    control_.resumed_call = static_cast<std::uint32_t>(answered_);
    control_.resumed_item = answers_.next_item();
  } else {
    control_.resumes = false;
  }
  if (answered_ < limit()) start_process();
}

// Fails all calls that have started and have no answer; with end_signal_, all calls.
void isolated_runner::fail_started(std::span<const call> calls, const answer_handler& on_answer) {
  const std::size_t end =
      end_signal_ != 0 ? limit() : std::min<std::size_t>(limit(), std::max<std::size_t>(control_.claimed, answered_ + 1));
  while (answered_ < end) answer_failed(describe_end(calls[answered_]), on_answer);
  answers_.clear();
  control_.resumes = false;
  control_.item_call = 0;
}

// Returns whether the process has ended because of the current task or item. If it was killed for another one, which ended just
// before, the current one has not begun.
bool isolated_runner::is_fault_of_current() const {
  if (control_.retires) return false;
  if (cause_ == cause::none) return true;
  return doomed_call_ == answered_ && (cause_ != cause::time_limit || doomed_begin_ == control_.began);
}

// Returns whether the process has ended in a chunk while none of its items ran: it may have none left.
bool isolated_runner::is_between_items() const {
  return !control_.retires && cause_ != cause::abort && control_.item_call == answered_ + 1 && !control_.item_runs;
}

// Counts an attempt of the current task or item. Returns whether there is another one.
bool isolated_runner::may_run_again(const call& current) {
  const std::uint64_t item = answers_.next_item();
  if (std::exchange(current_.item, item) != item) current_.attempts = 0;
  ++current_.attempts;
  const bool is_ended_by_itself = cause_ == cause::none;
  return is_ended_by_itself && current_.attempts <= current.limits.retries && current_.attempts < settings_.crash_limit;
}

// The current task or item fails. The rest of its chunk still runs.
void isolated_runner::fail_current(const call& current, const answer_handler& on_answer) {
  const bool has_items = cause_ != cause::abort && control_.item_call == answered_ + 1;
  has_items ? answers_.fail_item(describe_end(current)) : fail_whole(current, on_answer);
}

void isolated_runner::fail_whole(const call& current, const answer_handler& on_answer) {
  control_.resumes = false;
  answers_.drop();
  answer_failed(describe_end(current), on_answer);
}

// Returns the encoded exception with which a task fails that has ended its process.
byte_buffer isolated_runner::describe_end(const call& current) const {
  if (cause_ == cause::damage) return encoded_exception(task_lost(damage_, {}));
  if (cause_ == cause::abort) return encoded_exception(cancelled_error());
  if (cause_ == cause::time_limit) return encoded_exception(task_timed_out(current.limits.timeout_milliseconds));
  worker_lost::details about;
  about.stderr_tail = control_.last_output();
  const int status = control_.wait_status;
  std::string reason;
  if (end_signal_ != 0 && (has_process() || !WIFSIGNALED(status))) {
    about.signal = end_signal_;
    reason = "the program has ended the workers of its executor";
  } else if (WIFSIGNALED(status)) {
    about.signal = WTERMSIG(status);
    // If the supervisor was ended, the status is not that of the process.
    const int signal = control_.supervisor_signal != 0 ? control_.supervisor_signal : about.signal;
    reason =
        control_.supervisor_signal != 0 ? "the supervisor of its process was ended by signal " : "its process was ended by signal ";
    reason += std::to_string(signal);
    reason += " (";
    reason += strsignal(signal);
    reason += ")";
    if (signal == SIGKILL && end_signal_ == 0) {
      reason += ": by the task, by another process, or by the kernel because memory ran out (see the kernel's log)";
    }
    if (about.signal == SIGXCPU) reason += ": the limit of CPU time (ulimit -t) is exceeded";
  } else {
    about.exit_status = WEXITSTATUS(status);
    reason = "its process exited with status ";
    reason += std::to_string(about.exit_status);
    reason += "; a task must return or throw";
  }
  if (current_.attempts > 1) {
    reason += " in each of ";
    reason += std::to_string(current_.attempts);
    reason += " attempts";
  }
  return encoded_exception(task_lost(std::move(reason), std::move(about)));
}

}  // namespace rankpool::detail

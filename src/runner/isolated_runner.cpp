#include "runner/isolated_runner.hpp"

#include "codec/runner_errors.hpp"
#include "runner/fork_server.hpp"
#include "runner/request.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_calls = 256;  // of a batch
constexpr auto batch_time = 500us;       // a batch is to take about so long, so that handing it over costs little
constexpr auto look_interval = 1ms;      // how often answers of an unfinished batch are passed on
constexpr auto liveness_interval = 100ms;
constexpr auto time_to_end = 2s;

}  // namespace

isolated_runner::isolated_runner(const worker_place& place, const runner_settings& settings, initializer first, int shares_descriptor)
    : settings_(settings),
      initializer_(std::move(first)),
      control_memory_("rankpool-runner"),
      requests_("rankpool-requests"),
      log_("rankpool-answers"),
      control_(*new (control_memory_.allocate(sizeof(runner_control))) runner_control),
      answers_(control_, log_) {
  control_.rank_pid = getpid();
  control_.requests_descriptor = requests_.descriptor();
  control_.answers_descriptor = log_.descriptor();
  control_.shares_descriptor = shares_descriptor;
  control_.rank = place.rank;
  std::strncpy(control_.host.data(), place.host.c_str(), control_.host.size() - 1);
  control_.settings = settings;
}

isolated_runner::~isolated_runner() {
  if (control_.stage != runner_stage::alive) return;
  control_.ends.store(true);
  futex_wake(control_.requests);
  for (const bool is_killed : {false, true}) {
    if (is_killed) kill_process();
    const auto deadline = std::chrono::steady_clock::now() + time_to_end;
    while (control_.stage == runner_stage::alive && fork_server::is_alive() && std::chrono::steady_clock::now() < deadline) {
      await_event(control_.events, std::min(deadline, std::chrono::steady_clock::now() + liveness_interval));
    }
    if (control_.stage != runner_stage::alive) return;
  }
}

std::chrono::nanoseconds isolated_runner::cpu_time() const {
  return std::chrono::nanoseconds(ended_cpu_nanoseconds_.load() + control_.cpu_nanoseconds.load());
}

// ---- a batch

void isolated_runner::prepare(std::size_t calls) {
  control_.claimed.store(0);
  limit_.store(calls);
  aborted_ = nothing;
}

std::size_t isolated_runner::retract() {
  const std::uint32_t started = control_.claimed.exchange(runner_control::none_left);
  if (started < runner_control::none_left) limit_.store(std::min<std::size_t>(limit_, started));
  return limit_;
}

std::size_t isolated_runner::started() const { return std::min<std::size_t>(limit_, control_.claimed); }

void isolated_runner::abort(std::size_t index) {
  aborted_ = index;
  control_.notify_rank();  // wakes run(), which knows whether the call still runs
}

void isolated_runner::end_process(int signal) {
  is_ended_ = true;
  const pid_t pid = control_.pid;
  if (pid > 0) kill(pid, signal);
}

// Returns whether a runner has started the call, for those before limit().
bool isolated_runner::is_started(std::size_t index) const { return control_.claimed > index; }

void isolated_runner::run(std::span<const call> calls, const answer_handler& on_answer) {
  const auto begin = std::chrono::steady_clock::now();
  const std::span<const std::byte> payload =
      initializer_.bulk != nullptr ? std::span<const std::byte>(initializer_.bulk->bytes()) : initializer_.payload;
  if (control_.stage != runner_stage::alive) {
    control_.finished.store(control_.requests);  // the next process must not run the last batch, which is over
    start_process();
  }
  control_.blocks_by_address = fork_server::may_runners_read() ? 1 : 0;
  requests_.shrink();
  control_.request_bytes =
      write_request(requests_, {initializer_.function, payload, {}}, calls, control_.blocks_by_address != 0);
  control_.count = static_cast<std::uint32_t>(calls.size());
  control_.resumes = false;
  control_.item_call = 0;
  answers_.clear();
  answered_ = 0;
  attempts_ = 0;
  attempted_item_ = 0;
  request();
  for (;;) {
    const std::uint32_t seen = control_.events;
    const bool has_ended = control_.stage == runner_stage::dead;
    const bool is_through = control_.finished == control_.requests;
    take_answers(on_answer);
    if (answered_ >= limit() && (is_through || has_ended)) break;
    if (is_through && !has_ended) {  // the log is full
      answers_.clear();
      control_.resumes = false;
      request();
      continue;
    }
    if (has_ended) {
      handle_end(calls, on_answer);
      continue;
    }
    const steady_time now = std::chrono::steady_clock::now();
    steady_time deadline = now + look_interval;
    if (aborted_ == answered_ && cause_ == cause::unknown) {
      cause_ = cause::abort;
      kill_process();
    }
    if (answered_ < limit() && is_started(answered_)) deadline = std::min(deadline, kill_if_too_long(calls[answered_], now));
    await_event(seen, deadline);
    if (control_.stage == runner_stage::alive && !fork_server::is_alive()) {
      throw error("the runner process of rank " + std::to_string(control_.rank) + " is lost, because the fork server of the rank has ended");
    }
  }
  adapt_batch_size(calls.size(), std::chrono::steady_clock::now() - begin);
}

void isolated_runner::take_answers(const answer_handler& on_answer) {
  while (cause_ != cause::damage) {
    std::optional<answer> next;
    try {
      next = answers_.next();
    } catch (const std::exception&) {  // a task has written to memory that it does not own
      cause_ = cause::damage;
      kill_process();
      return;
    }
    if (!next) return;
    ++answered_;
    attempts_ = 0;
    attempted_item_ = 0;
    on_answer(std::move(*next));
  }
}

void isolated_runner::request() {
  control_.requests.fetch_add(1);
  control_.notify_runner();
}

void isolated_runner::await_event(std::uint32_t seen, steady_time deadline) {
  control_.rank_waits.store(1);
  if (control_.events == seen) futex_wait(control_.events, seen, deadline - std::chrono::steady_clock::now());
}

void isolated_runner::adapt_batch_size(std::size_t calls, std::chrono::nanoseconds taken) {
  if (taken < batch_time / 2 && calls == batch_size_) batch_size_ = std::min(2 * batch_size_, most_calls);
  if (taken > 2 * batch_time) batch_size_ = std::max<std::size_t>(1, batch_size_ / 2);
}

// ---- the process

void isolated_runner::start_process() {
  ended_cpu_nanoseconds_ += control_.cpu_nanoseconds.exchange(0);
  ++control_.instance;
  control_.pid = 0;
  control_.retires = false;
  control_.wait_status = 0;
  control_.start_error = 0;
  control_.began = 0;
  control_.tail_end = 0;
  control_.stage = runner_stage::none;
  cause_ = cause::unknown;
  answers_.forget_initializer();
  fork_server::start_runner(control_memory_.descriptor(), control_.instance);
  if (control_.stage == runner_stage::none) throw error("a runner process cannot be started: the fork server cannot open its memory");
}

void isolated_runner::kill_process() {
  const pid_t pid = control_.pid;
  if (pid > 0) kill(pid, SIGKILL);
}

// Kills the process if the current task or item exceeds its time limit. Returns when it will.
steady_time isolated_runner::kill_if_too_long(const call& current, steady_time now) {
  const std::int64_t began = control_.began;
  if (current.limits.timeout_milliseconds == task_limits::no_timeout || began == 0 || cause_ != cause::unknown) return steady_time::max();
  const auto end = steady_time(std::chrono::nanoseconds(began)) + std::chrono::milliseconds(current.limits.timeout_milliseconds);
  if (now < end) return end;
  cause_ = cause::time_limit;
  timed_out_begin_ = began;
  kill_process();
  return steady_time::max();
}

// The process has ended before it has gone through the batch. Decides what becomes of the call that it ran, and starts another.
void isolated_runner::handle_end(std::span<const call> calls, const answer_handler& on_answer) {
  if (control_.start_error != 0) {
    throw error("a runner process cannot be started on rank " + std::to_string(control_.rank) + ": " +
                std::generic_category().message(control_.start_error));
  }
  if (!answers_.is_initialized() && !control_.retires) {  // it ended in the initializer
    throw initializer_failure{describe_end(calls[answered_])};
  }
  control_.resumes = is_started(answered_) || cause_ == cause::damage;
  if (cause_ == cause::damage) {
    answers_.clear();
    control_.item_call = 0;
  }
  if (control_.resumes) {
    const call& current = calls[answered_];
    answers_.drop_item();
    if (is_counted() && !may_run_again(current)) fail_current(current, on_answer);
    control_.resumed_call = static_cast<std::uint32_t>(answered_);
    control_.resumed_item = answers_.next_item();
  }
  if (answered_ >= limit()) return;
  start_process();
}

// Returns whether the end of the process is the fault of the current task or item.
bool isolated_runner::is_counted() const {
  if (cause_ == cause::damage) return true;
  if (control_.retires) return false;
  if (cause_ == cause::abort) return aborted_ == answered_;
  return cause_ != cause::time_limit || control_.began == timed_out_begin_;  // otherwise the task had ended before it was killed
}

// Counts an attempt of the current task or item. Returns whether there is another one.
bool isolated_runner::may_run_again(const call& current) {
  if (std::exchange(attempted_item_, answers_.next_item()) != answers_.next_item()) attempts_ = 0;
  ++attempts_;
  return cause_ == cause::unknown && !is_ended_ && attempts_ <= current.limits.retries && attempts_ < settings_.crash_limit;
}

// The current task or item fails. The rest of its chunk still runs.
void isolated_runner::fail_current(const call& current, const answer_handler& on_answer) {
  byte_buffer why = describe_end(current);
  if (control_.item_call == answered_ + 1) return answers_.fail_item(why);
  control_.resumes = false;
  answers_.drop();
  ++answered_;
  attempts_ = 0;
  on_answer({.bytes = std::move(why), .out_of_band = {}, .threw = true, .taken = 1ns});
}

// Returns the encoded exception of a task that has ended the process.
byte_buffer isolated_runner::describe_end(const call& current) const {
  if (cause_ == cause::damage) {
    return encoded_exception(task_lost("its process has damaged the memory that it shares with the rank, and was killed", {}));
  }
  if (cause_ == cause::abort) return encoded_exception(cancelled_error());
  if (cause_ == cause::time_limit) return encoded_exception(task_timed_out(current.limits.timeout_milliseconds));
  worker_lost::details about;
  about.stderr_tail = control_.last_output();
  const int status = control_.wait_status;
  std::string reason;
  if (WIFSIGNALED(status)) {
    about.signal = WTERMSIG(status);
    reason = "its process was ended by signal ";
    reason += std::to_string(about.signal);
    reason += " (";
    reason += strsignal(about.signal);
    reason += ")";
    if (about.signal == SIGKILL) reason += "; perhaps the node has run out of memory: see the kernel's log";
    if (about.signal == SIGXCPU) reason += ": the limit of CPU time (ulimit -t) is exceeded";
  } else {
    about.exit_status = WEXITSTATUS(status);
    reason = "its process exited with status ";
    reason += std::to_string(about.exit_status);
    reason += "; a task must return or throw";
  }
  if (attempts_ > 1) {
    reason += " in each of ";
    reason += std::to_string(attempts_);
    reason += " attempts";
  }
  return encoded_exception(task_lost(std::move(reason), std::move(about)));
}

}  // namespace rankpool::detail

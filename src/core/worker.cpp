#include "worker.hpp"

#include "current_worker.hpp"

#include <thread>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto flush_after = 200us;               // results wait no longer than this while others are computed
constexpr std::size_t flush_bytes = 128 << 10;    // nor do they gather beyond this
constexpr auto attend_after = 2ms;                // a task that takes longer gets an attendant
constexpr auto attend_every = 2ms;

}  // namespace

worker::worker(transport& link, worker_place place) : link_(link), place_(std::move(place)), flushed_(clock::now()) {}

int worker::serve() {
  std::thread attendant([this] { attend(); });
  const auto dismiss = [&] {
    {
      std::lock_guard lock(attendant_mutex_);
      leaving_ = true;
    }
    attendant_wakes_.notify_one();
    attendant.join();
  };
  try {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (failure_ != nullptr) std::rethrow_exception(failure_);
      if (queue_.empty() || stop_) {
        flush();
        if (!receive_all() && !stop_ && queue_.empty()) link_.wait(clock::now() + 100ms);
        if (stop_) break;
        continue;
      }
      const queued_task task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      run(task);
      lock.lock();
      if (clock::now() - flushed_ > flush_after || outbox_.size_bytes() > flush_bytes) {
        flush();
        (void)receive_all();
      }
    }
    outbox_.stopped();
    flush();
    int from = 0;
    frame ignored;
    while (link_.transferring()) (void)link_.receive(from, ignored);
  } catch (...) {
    dismiss();
    throw;
  }
  dismiss();
  return *stop_;
}

bool worker::step() {
  std::unique_lock lock(mutex_);
  const bool received = receive_all();
  if (queue_.empty()) {
    if (stop_) {
      stop_.reset();
      outbox_.stopped();
    }
    flush();
    return received;
  }
  const queued_task task = std::move(queue_.front());
  queue_.pop_front();
  lock.unlock();
  run(task);
  lock.lock();
  flush();
  return true;
}

bool worker::receive_all() {
  bool any = false;
  int from = 0;
  for (frame f; link_.receive(from, f); f = {}) {
    accept(std::make_shared<const frame>(std::move(f)));
    any = true;
  }
  return any;
}

void worker::accept(std::shared_ptr<const frame> f) {
  frame_reader in(*f);
  for (record r; in.next(r);) {
    if (const auto* task = std::get_if<task_record>(&r)) {
      if (!executors_.contains(task->executor)) {
        throw message_error("task " + std::to_string(task->id) + " came for executor " + std::to_string(task->executor) +
                            ", which is not open on this worker");
      }
      queue_.push_back({task->id, task->executor, task->function, task->payload, f});
    } else if (const auto* open = std::get_if<open_record>(&r)) {
      auto entry = std::make_shared<executor_entry>();
      if (open->function.module == 0) {
        entry->is = executor_entry::state::ready;
      } else {
        entry->initializer = open->function;
        entry->payload = open->payload;
        entry->frame_kept = f;
      }
      executors_[open->executor] = std::move(entry);
    } else if (const auto* close = std::get_if<close_record>(&r)) {
      executors_.erase(close->executor);
    } else if (std::holds_alternative<recall_record>(r)) {
      give_back();
    } else if (const auto* stop = std::get_if<stop_record>(&r)) {
      stop_ = stop->status;
    } else {
      throw message_error(std::string("a worker received a '") + name_of(r) + "' message, which only rank 0 expects");
    }
  }
}

void worker::give_back() {
  std::vector<std::uint64_t> ids;
  for (const queued_task& task : queue_) ids.push_back(task.id);
  queue_.clear();
  outbox_.recalled(ids);
  flush();
}

void worker::flush() {
  flushed_ = clock::now();
  if (!outbox_.empty()) link_.send(0, outbox_.take());
}

bool worker::ready_for(executor_entry& executor, std::uint32_t id) {
  if (executor.is == executor_entry::state::fresh) {
    byte_buffer nothing;
    try {
      const in_task scope(place_);
      byte_reader in(executor.payload.data(), executor.payload.size());
      byte_writer out(nothing);
      resolve_function<task_function>(executor.initializer)(in, out);
      executor.is = executor_entry::state::ready;
    } catch (...) {
      executor.is = executor_entry::state::failed;
      byte_buffer why;
      byte_writer out(why);
      encode_current_exception(out);
      std::lock_guard lock(mutex_);
      outbox_.open_failed(id, why);
      flush();
    }
    executor.frame_kept.reset();
  }
  return executor.is == executor_entry::state::ready;
}

void worker::run(const queued_task& task) {
  std::shared_ptr<executor_entry> executor;
  {
    std::lock_guard lock(mutex_);  // the attendant may be closing it: a broken executor's tasks are given up where they are
    const auto open = executors_.find(task.executor);
    if (open == executors_.end()) return;
    executor = open->second;
  }
  begin_task();
  byte_buffer result;
  bool threw = false;
  const auto begin = clock::now();
  if (!ready_for(*executor, task.executor)) {  // rank 0 knows, and has completed the task
    end_task();
    return;
  }
  try {
    const in_task scope(place_);
    byte_reader in(task.payload.data(), task.payload.size());
    byte_writer out(result);
    resolve_function<task_function>(task.function)(in, out);  // fails this task alone if this rank does not have it
  } catch (...) {
    threw = true;
    result.clear();
    byte_writer out(result);
    encode_current_exception(out);
  }
  const auto taken = clock::now() - begin;
  end_task();
  std::lock_guard lock(mutex_);
  outbox_.result(task.id, threw, static_cast<std::uint64_t>(taken.count()), std::move(result));
}

void worker::begin_task() {
  task_.fetch_add(1);
  if (attendant_asleep_.load()) {
    std::lock_guard lock(attendant_mutex_);
    attendant_wakes_.notify_one();
  }
}

void worker::end_task() { task_.fetch_add(1); }

void worker::attend() {
  std::unique_lock waiting(attendant_mutex_);
  while (!leaving_) {
    const std::uint64_t seen = task_.load();
    attendant_wakes_.wait_for(waiting, attend_after, [&] { return leaving_; });
    if (leaving_ || task_.load() != seen) continue;
    if (seen % 2 == 0) {  // idle: until the next task begins
      attendant_asleep_.store(true);
      attendant_wakes_.wait(waiting, [&] { return leaving_ || task_.load() != seen; });
      attendant_asleep_.store(false);
      continue;
    }
    waiting.unlock();
    while (task_.load() == seen) {
      auto pause = std::chrono::microseconds(attend_every);
      {
        std::lock_guard lock(mutex_);
        if (task_.load() != seen || failure_ != nullptr) break;
        try {
          flush();
          (void)receive_all();
        } catch (...) {
          failure_ = std::current_exception();  // for serve() to throw
        }
        if (link_.transferring()) pause = 50us;
      }
      std::this_thread::sleep_for(pause);
    }
    waiting.lock();
  }
}

}  // namespace rankpool::detail

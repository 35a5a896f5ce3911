#include "worker.hpp"

#include "current_worker.hpp"
#include "shared_segment.hpp"
#include "shared_table.hpp"

#include <algorithm>
#include <ctime>
#include <thread>
#include <utility>
#include <vector>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto usage_after = 1ms;  // CPU time goes with results, but a system call with each would be too much

std::uint64_t cpu_nanoseconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

constexpr std::size_t flush_bytes = transport::prompt_bytes * 9 / 10;  // results gather up to this

}  // namespace

worker::worker(transport& link, worker_place place, worker_pace pace)
    : link_(link), place_(std::move(place)), pace_(pace), flushed_(clock::now()) {}

worker::~worker() {
  for (const std::uint64_t id : shared_) forget_received(id);
}

int worker::serve() {
  serving_ = true;
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
      run_next(lock);
      if (ended_ - flushed_ > pace_.flush_after || outbox_.size_bytes() > flush_bytes) {
        flush(queue_.size() <= filled_ / 4);  // else rank 0 has the time to let more gather
        (void)receive_all();
      }
    }
    outbox_.stopped();
    flush();
    int from = 0;
    frame ignored;
    while (!link_.sent_all()) (void)link_.receive(from, ignored);
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
  run_next(lock);
  flush();
  return true;
}

bool worker::receive_all() {
  bool any = false;
  int from = 0;
  for (frame f; link_.receive(from, f); f = {}) {
    accept(std::move(f));
    any = true;
  }
  if (any) ended_ = {};
  return any;
}

void worker::accept(frame f) {
  kept_frame& kept = frames_.emplace_back(std::move(f));
  frame_reader in(kept.content);
  for (record r; in.next(r);) {
    if (const auto* task = std::get_if<task_record>(&r)) {
      if (!executors_.contains(task->executor)) {
        throw message_error("task " + std::to_string(task->id) + " came for executor " + std::to_string(task->executor) +
                            ", which is not open on this worker");
      }
      queue_.push_back({task->id, task->executor, task->function, task->payload, task->beside});
      ++kept.tasks;
    } else if (const auto* open = std::get_if<open_record>(&r)) {
      auto entry = std::make_shared<executor_entry>();
      if (open->function.module == 0) {
        entry->is = executor_entry::state::ready;
      } else {
        entry->initializer = open->function;
        entry->payload.append(open->payload.data(), open->payload.size());
      }
      executors_[open->executor] = std::move(entry);
    } else if (const auto* share = std::get_if<share_record>(&r)) {
      receive_shared(*share);
    } else if (const auto* coming = std::get_if<broadcast_record>(&r)) {
      join_broadcast(*coming);
    } else if (const auto* unshare = std::get_if<unshare_record>(&r)) {
      forget_shared(unshare->id);
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
  if (kept.tasks == 0) {
    frames_.pop_back();
  } else {
    filled_ = queue_.size();
  }
}

void worker::receive_shared(const share_record& share) {
  if (unshared_.erase(share.id) > 0) return;  // it has come by way of another worker, which takes longer
  shared_.insert(share.id);
  if (share.pid == 0) {
    auto copy = aligned_copy(share.payload);
    const std::span<const std::byte> bytes(copy.get(), share.payload.size());
    note_received(std::make_shared<const shared_data>(share.id, std::move(copy), bytes));
    return;
  }
  try {
    const auto segment = shared_segment::map(share.pid, share.descriptor, share.size);
    note_received(std::make_shared<const shared_data>(share.id, segment, segment->bytes()));
  } catch (const std::exception& e) {  // it may have been freed meanwhile: only a task that needs it should hear of it
    note_missing(share.id, e.what());
  }
}

void worker::join_broadcast(const broadcast_record& coming) {
  const auto segment = shared_segment::create(coming.size);
  link_.broadcast(segment->bytes(), [this, segment, id = coming.id] {
    const std::span<const std::byte> bytes = segment->bytes();
    outbox_.shared_here(id, bytes.size(), segment->descriptor());
    flush();
    if (unshared_.erase(id) > 0) return;
    shared_.insert(id);
    note_received(std::make_shared<const shared_data>(id, segment, bytes));
  });
}

void worker::forget_shared(std::uint64_t id) {
  if (shared_.erase(id) > 0) {
    forget_received(id);
  } else {
    unshared_.insert(id);  // it is still to come
  }
}

void worker::give_back() {
  std::vector<std::uint64_t> ids;
  for (const queued_task& task : queue_) ids.push_back(task.id);
  std::size_t left = queue_.size();
  queue_.clear();
  // From the back, so that the frame of a task that is running stays.
  for (auto kept = frames_.rbegin(); kept != frames_.rend() && left > 0; ++kept) {
    const std::size_t given = std::min(left, kept->tasks);
    kept->tasks -= given;
    left -= given;
  }
  const kept_frame& accepting = frames_.back();
  std::erase_if(frames_, [&](const kept_frame& kept) { return kept.tasks == 0 && &kept != &accepting; });
  outbox_.recalled(ids);
  flush();
}

void worker::flush(bool urgent) {
  flushed_ = clock::now();
  ended_ = {};
  if (outbox_.empty()) return;
  if (serving_ && flushed_ - usage_said_ >= usage_after) {
    usage_said_ = flushed_;
    outbox_.usage(cpu_nanoseconds());
  }
  frame f = outbox_.take();
  f.urgent = urgent || !f.bulk.empty();  // a block is sent with the receiver's help
  link_.send(0, std::move(f));
}

// A task is over or dropped: so is its frame, with the last of them.
void worker::forget_task() {
  --frames_.front().tasks;
  while (!frames_.empty() && frames_.front().tasks == 0) frames_.pop_front();
}

// Calls the executor's initializer; what is to be done after it has failed rank 0 knows.
bool worker::initialize(executor_entry& executor, std::uint32_t id) {
  byte_buffer nothing;
  try {
    const in_task scope(place_);
    byte_reader in(executor.payload);
    byte_writer out(nothing);
    resolve_function<task_function>(executor.initializer)(in, out);
    executor.is = executor_entry::state::ready;
    return true;
  } catch (...) {
    executor.is = executor_entry::state::failed;
    byte_buffer why;
    byte_writer out(why);
    encode_current_exception(out);
    std::lock_guard lock(mutex_);
    outbox_.open_failed(id, why);
    flush();
    return false;
  }
}

worker::answer worker::call(const queued_task& task) {
  answer a;
  try {
    const in_task scope(place_);
    if (last_function_.second == nullptr || last_function_.first != task.function) {
      last_function_ = {task.function, resolve_function<task_function>(task.function)};  // fails this task alone if this rank does not have it
    }
    byte_reader in(task.payload.data(), task.payload.size(), task.beside);
    byte_writer out(a.bytes, &a.beside);
    last_function_.second(in, out);
  } catch (...) {
    a.threw = true;
    a.bytes.clear();
    a.beside.clear();
    byte_writer out(a.bytes);
    encode_current_exception(out);
  }
  return a;
}

// Takes the first task of the queue and runs it, without the lock.
void worker::run_next(std::unique_lock<std::mutex>& lock) {
  const queued_task task = queue_.front();
  queue_.pop_front();
  const auto open = executors_.find(task.executor);
  bool runs = open != executors_.end() && open->second->is != executor_entry::state::failed;  // else rank 0 has completed it
  answer a;
  auto begin = ended_;
  if (runs) {
    const std::shared_ptr<executor_entry> fresh = open->second->is == executor_entry::state::fresh ? open->second : nullptr;
    lock.unlock();
    begin_task();
    if (fresh != nullptr) runs = initialize(*fresh, task.executor);
    if (fresh != nullptr || begin == clock::time_point()) begin = clock::now();
    if (runs) a = call(task);
    end_task();
    lock.lock();
  }
  const auto end = clock::now();
  if (runs) outbox_.result(task.id, a.threw, static_cast<std::uint64_t>((end - begin).count()), std::move(a.bytes), std::move(a.beside));
  ended_ = end;
  forget_task();
}

void worker::begin_task() {
  task_.fetch_add(1);
  if (attendant_asleep_.load()) {
    std::lock_guard lock(attendant_mutex_);
    attendant_wakes_.notify_one();
  }
}

void worker::end_task() { task_.store(task_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

void worker::attend() {
  std::unique_lock waiting(attendant_mutex_);
  while (!leaving_) {
    const std::uint64_t seen = task_.load();
    attendant_wakes_.wait_for(waiting, pace_.attend_after, [&] { return leaving_; });
    if (leaving_ || task_.load() != seen) continue;
    if (seen % 2 == 0) {  // idle: until the next task begins
      attendant_asleep_.store(true);
      attendant_wakes_.wait(waiting, [&] { return leaving_ || task_.load() != seen; });
      attendant_asleep_.store(false);
      continue;
    }
    waiting.unlock();
    while (task_.load() == seen) {
      auto pause = pace_.attend_after / 2;
      {
        std::lock_guard lock(mutex_);
        if (task_.load() != seen || failure_ != nullptr) break;
        try {
          if (clock::now() - flushed_ > pace_.flush_after) flush();
          (void)receive_all();
        } catch (...) {
          failure_ = std::current_exception();  // for serve() to throw
        }
        (void)link_.sent_all();  // so that nothing waits for a call of this side
        if (link_.transferring()) pause = 50us;
      }
      std::this_thread::sleep_for(pause);
    }
    waiting.lock();
  }
}

}  // namespace rankpool::detail

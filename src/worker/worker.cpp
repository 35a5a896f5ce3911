// Defines worker: the loop that receives frames and runs tasks, and the attendant thread.
#include "worker/worker.hpp"

#include "call/item_scope.hpp"
#include "codec/runner_errors.hpp"
#include "runner/fork_server.hpp"
#include "runner/in_process_runner.hpp"
#include "runner/isolated_runner.hpp"
#include "shared/shared_table.hpp"
#include "support/log.hpp"
#include "support/process_table.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto check_interval = 1s;       // of an idle worker: whether its descriptors are open
constexpr auto fork_server_time = 200ms;  // in which the fork server, if there is one, reports that and ends this process
constexpr auto abort_time = 2s;           // in which rank 0 ends the run when it knows that they are not
constexpr auto time_of_ending = 1s;       // of another worker, from the closing of its descriptors
constexpr auto usage_interval = 1ms;      // between two reports of CPU time, each of which costs a system call

std::uint64_t cpu_nanoseconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

}  // namespace

worker::worker(transport& link, worker_place place, worker_pace pace, std::unique_ptr<task_runner> runner)
    : link_(link),
      running_task_(link.running_task() != nullptr ? *link.running_task() : unread_note_),
      place_(std::move(place)),
      pace_(pace),
      flush_bytes_(link.preferred_frame_bytes() * 9 / 10),
      runner_(runner != nullptr ? std::move(runner) : std::make_unique<in_process_runner>(place_)),
      flushed_(clock::now()) {}

worker::~worker() {
  for (const auto& [id, value] : shared_) forget_received(id);
}

int worker::serve(process_end end_process) {
  end_process_ = std::move(end_process);
  serving_ = true;
  std::thread attendant([this] { attend(); });
  const auto end_attendant = [&] {
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
      if (ended_ - flushed_ > pace_.flush_after || outbox_.size_bytes() > flush_bytes_) {
        // Urgent if few prefetched tasks are left. Otherwise rank 0 may let results accumulate.
        flush(queue_.size() <= filled_ / 4);
        (void)receive_all();
      }
    }
    send_stopped();
  } catch (...) {
    end_attendant();
    throw;
  }
  end_attendant();
  if (ends_process_ && end_process_) end_process_(false);
  return *stop_;
}

// Sends the last message, and waits until every frame has left.
void worker::send_stopped() {
  if (link_.has_lost_descriptors()) end_without_descriptors();
  outbox_.stopped();
  flush();
  int from = 0;
  frame ignored;
  while (!link_.sent_all()) (void)link_.receive(from, ignored);
}

// A task has closed the descriptors of this process, perhaps stderr as well. Tells rank 0, which fails and aborts the run. If rank
// 0 is on another node, the exit status makes the launcher end the run.
void worker::end_without_descriptors() {
  std::this_thread::sleep_for(fork_server_time);
  link_.tell_lost_descriptors();
  std::this_thread::sleep_for(abort_time);
  log_line(closed_descriptors_message("rank " + std::to_string(place_.rank) + " (" + place_.host + ")"));
  std::_Exit(1);
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

// Sends the finished results and receives what has arrived. A runner calls it, on the thread that runs tasks, between two of them.
void worker::exchange() {
  const std::lock_guard lock(mutex_);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  try {
    flush();
    (void)receive_all();
  } catch (...) {
    failure_ = std::current_exception();  // serve() throws it
    throw;
  }
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
        throw message_error("task " + std::to_string(task->id) + " belongs to executor " + std::to_string(task->executor) +
                            ", which is not open on this worker");
      }
      queue_.push_back({task->id, task->executor, task->function, task->payload, task->out_of_band, task->limits});
      ++kept.tasks;
    } else if (const auto* open = std::get_if<open_record>(&r)) {
      open_executor(*open);
    } else if (const auto* share = std::get_if<share_record>(&r)) {
      receive_shared(*share);
    } else if (const auto* coming = std::get_if<broadcast_record>(&r)) {
      join_broadcast(*coming);
    } else if (const auto* part = std::get_if<copy_record>(&r)) {
      receive_copy(*part);
    } else if (const auto* unavailable = std::get_if<unavailable_record>(&r)) {
      receive_unavailable(*unavailable);
    } else if (const auto* unshare = std::get_if<unshare_record>(&r)) {
      forget_shared(unshare->id);
    } else if (const auto* close = std::get_if<close_record>(&r)) {
      close_executor(close->executor);
    } else if (std::holds_alternative<recall_record>(r)) {
      return_tasks(true);
    } else if (const auto* aborted = std::get_if<abort_record>(&r)) {
      abort_task(aborted->id);
    } else if (const auto* end = std::get_if<end_process_record>(&r)) {
      const auto open_here = executors_.find(end->executor);
      return_tasks(false);  // first, so that no other task of the executor starts
      if (open_here != executors_.end() && open_here->second->runner != nullptr)
        open_here->second->runner->end_process(end->signal);
    } else if (const auto* stop = std::get_if<stop_record>(&r)) {
      stop_ = stop->status;
      ends_process_ = stop->ends_process;
      ranks_were_lost_ = stop->ranks_were_lost;
      (void)withdraw_unstarted();  // rank 0 has no use for their results
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

void worker::open_executor(const open_record& open) {
  auto entry = std::make_shared<executor_entry>();
  executors_[open.executor] = entry;
  byte_buffer payload;
  if (open.bulk == nullptr) payload.append(open.payload.data(), open.payload.size());
  if (open.runners.isolated == 0) {
    if (open.function.module == 0) {
      entry->is = executor_entry::state::ready;
    } else {
      entry->initializer = open.function;
      entry->bulk = open.bulk;
      entry->payload = std::move(payload);
    }
    return;
  }
  try {
    if (share_log_ == nullptr) {
      share_log_ = std::make_unique<share_log>();
      for (const auto& [id, value] : shared_) share_log_->add(id, value.source);
    }
    std::function<void()> drive;
    if (link_.reads_memory_of(0)) drive = [this] { exchange(); };
    fork_server* const server = fork_server::current();
    if (server == nullptr) throw error("this process has no fork server");
    entry->runner = std::make_unique<isolated_runner>(*server, place_, open.runners,
                                                      isolated_runner::initializer{open.function, std::move(payload), open.bulk},
                                                      share_log_->descriptor(), std::move(drive));
    entry->is = executor_entry::state::ready;
  } catch (const std::exception& e) {
    report_failed_executor(*entry, open.executor,
                           encoded_exception(error(std::string("a runner process cannot be used: ") + e.what())));
  }
}

void worker::close_executor(std::uint32_t id) {
  const auto closed = executors_.find(id);
  if (closed == executors_.end()) return;
  if (closed->second->runner != nullptr) isolated_cpu_time_ += closed->second->runner->cpu_time();
  executors_.erase(closed);
  if (std::ranges::none_of(executors_, [](const auto& other) { return other.second->runner != nullptr; })) share_log_.reset();
}

// Records where this process has a shared value, so that runner processes find it as well. `segment`: null for a short value, and
// for one that is not available.
void worker::note_shared(std::uint64_t id, std::uint64_t size, const std::shared_ptr<shared_segment>& segment) {
  share_source source{.size = size};
  if (segment != nullptr) source = {size, static_cast<std::int32_t>(getpid()), segment->descriptor()};
  shared_[id] = {source, segment, segment == nullptr && size == 0};
  if (share_log_ == nullptr) return;
  try {
    share_log_->add(id, source);
  } catch (const std::exception&) {  // out of memory: tasks in runner processes wait for the value in vain, and fail
  }
}

void worker::receive_shared(const share_record& share) {
  if (has_shared(share.id)) return;  // from another worker of this node, which was lost meanwhile
  try {
    if (share.pid == 0) {
      auto copy = aligned_copy(share.payload);
      const std::span<const std::byte> bytes(copy.get(), share.payload.size());
      note_received(std::make_shared<const shared_data>(share.id, std::move(copy), bytes));
    } else {
      const auto segment = shared_segment::map(share.pid, share.descriptor, share.size);
      note_received(std::make_shared<const shared_data>(share.id, segment, segment->bytes()));
      return note_shared(share.id, share.size, segment);
    }
    note_shared(share.id, share.size, nullptr);
  } catch (const std::exception& e) {  // the value may be released already, so only tasks that use it fail
    if (share.pid != 0 && !link_.has_broadcasts() && ends_within(share.pid, time_of_ending)) return;  // another worker will have it
    note_missing(share.id, why_unavailable(share.size, e));
    note_shared(share.id, 0, nullptr);
  }
}

std::string worker::why_unavailable(std::size_t size, const std::exception& e) const {
  const bool no_memory = dynamic_cast<const std::bad_alloc*>(&e) != nullptr;
  return "share: a value of " + std::to_string(size) + " bytes is not available on host '" + place_.host +
         "': " + (no_memory ? "out of memory" : e.what());
}

void worker::receive_unavailable(const unavailable_record& what) {
  note_missing(what.id, {reinterpret_cast<const char*>(what.reason.data()), what.reason.size()});
  note_shared(what.id, 0, nullptr);
}

// Takes part in a broadcast. It is collective, so a worker without memory takes part as well. Only tasks that use the value fail.
void worker::join_broadcast(const broadcast_record& coming) {
  const auto segment = memory_for_node(coming.id, coming.size);
  if (segment == nullptr) return link_.drop_broadcast(coming.size);
  arriving_[coming.id] = segment;
  link_.broadcast(segment->bytes(), [this, segment, id = coming.id] { keep_for_node(id, segment); });
}

// Receives a part of a shared value that this worker keeps for its node, perhaps in place of a worker that was lost.
void worker::receive_copy(const copy_record& part) {
  if (part.offset == 0) {
    if (has_shared(part.id)) {
      outbox_.shared_here(part.id, part.size, shared_[part.id].segment->descriptor());
      return flush();
    }
    const auto segment = memory_for_node(part.id, part.size);
    if (segment != nullptr) arriving_[part.id] = segment;
  }
  const auto arriving = arriving_.find(part.id);
  if (arriving == arriving_.end()) return;
  std::ranges::copy(part.part, arriving->second->bytes().begin() + static_cast<std::ptrdiff_t>(part.offset));
  if (part.offset + part.part.size() == part.size) keep_for_node(part.id, arriving->second);
}

// Returns memory that the workers of this node can map. Null if there is none; then rank 0 is told.
std::shared_ptr<shared_segment> worker::memory_for_node(std::uint64_t id, std::size_t size) {
  try {
    return shared_segment::create(size);
  } catch (const std::exception& e) {
    const std::string reason = why_unavailable(size, e);
    outbox_.unavailable(id, reason);
    flush();
    receive_unavailable({id, std::as_bytes(std::span(reason))});
    return nullptr;
  }
}

// A shared value has arrived, and the other workers of this node can map it from now on.
void worker::keep_for_node(std::uint64_t id, std::shared_ptr<shared_segment> segment) {
  if (arriving_.erase(id) == 0) return;  // released meanwhile
  const std::span<const std::byte> bytes = segment->bytes();
  outbox_.shared_here(id, bytes.size(), segment->descriptor());
  flush();
  note_received(std::make_shared<const shared_data>(id, segment, bytes));
  note_shared(id, bytes.size(), segment);
}

// Returns whether this worker has a shared value. Forgets that it could not be received earlier: another worker may have it now.
bool worker::has_shared(std::uint64_t id) {
  const auto here = shared_.find(id);
  if (here == shared_.end()) return false;
  if (here->second.is_missing) forget_shared(id);
  return shared_.contains(id);
}

void worker::forget_shared(std::uint64_t id) {
  if (shared_.erase(id) > 0) {
    if (share_log_ != nullptr) share_log_->remove(id);
    forget_received(id);
  } else {
    arriving_.erase(id);
  }
}

// Withdraws the tasks of batch_ that have not started. Returns their numbers.
std::vector<std::uint64_t> worker::withdraw_unstarted() {
  std::vector<std::uint64_t> ids;
  if (batch_runner_ == nullptr) return ids;
  const std::size_t started = std::max(batch_runner_->retract(), answered_);
  for (std::size_t t = started; t < batch_end_; ++t) ids.push_back(batch_[t].id);
  batch_end_ = std::min(batch_end_, started);
  return ids;
}

// Returns the tasks that have not started to rank 0. `is_recalled`: rank 0 has asked for them.
void worker::return_tasks(bool is_recalled) {
  std::vector<std::uint64_t> ids = withdraw_unstarted();
  for (const queued_task& task : queue_) ids.push_back(task.id);
  std::size_t left = queue_.size();
  queue_.clear();
  // Starts at the back, so that the frame of the running task is kept.
  for (auto kept = frames_.rbegin(); kept != frames_.rend() && left > 0; ++kept) {
    const std::size_t given = std::min(left, kept->tasks);
    kept->tasks -= given;
    left -= given;
  }
  const kept_frame& accepting = frames_.back();
  std::erase_if(frames_, [&](const kept_frame& kept) { return kept.tasks == 0 && &kept != &accepting; });
  outbox_.recalled(ids, is_recalled);
  flush();
}

// Cancels a task. If it has not started, it is returned with the others that have not: rank 0 knows that it is cancelled.
void worker::abort_task(std::uint64_t id) {
  return_tasks(false);
  for (std::size_t t = answered_; t < batch_end_; ++t) {
    if (batch_[t].id == id && batch_runner_ != nullptr) batch_runner_->abort(t);
  }
}

void worker::flush(bool urgent) {
  flushed_ = clock::now();
  ended_ = {};
  if (outbox_.empty()) return;
  if (serving_ && flushed_ - usage_sent_ >= usage_interval) {
    usage_sent_ = flushed_;
    auto isolated = isolated_cpu_time_;
    for (const auto& [id, entry] : executors_) {
      if (entry->runner != nullptr) isolated += entry->runner->cpu_time();
    }
    outbox_.usage(cpu_nanoseconds() + static_cast<std::uint64_t>(isolated.count()));
  }
  frame f = outbox_.take();
  f.urgent = urgent || !f.bulk.empty();  // sending a block needs calls of the receiver
  link_.send(0, std::move(f));
}

// Records that a task of the first frame is over. Frees the frame with the last of its tasks.
void worker::forget_task() {
  --frames_.front().tasks;
  while (!frames_.empty() && frames_.front().tasks == 0) frames_.pop_front();
}

// The task with this number runs from now on; 0: none. Notes it for rank 0.
void worker::set_running(std::uint64_t id) {
  running_ = id;
  const bool is_isolated = batch_runner_ != runner_.get();
  running_task_.task.store(0, std::memory_order_relaxed);
  running_task_.item.store(is_isolated ? task_note::any_item : 0, std::memory_order_release);
  running_task_.task.store(id, std::memory_order_release);
}

// Calls the executor's initializer, and returns whether it succeeded. Reports a failure to rank 0, which completes the tasks.
bool worker::initialize(executor_entry& executor, std::uint32_t id) {
  const bytes_view payload = executor.bulk != nullptr ? bytes_view(executor.bulk->bytes()) : bytes_view(executor.payload);
  task_runner::answer answer;
  const task_runner::call initializer{executor.initializer, payload, {}};
  runner_->run({&initializer, 1}, [&answer](task_runner::answer&& a) { answer = std::move(a); });
  executor.payload = {};
  executor.bulk = nullptr;
  executor.is = executor_entry::state::ready;
  if (!answer.threw) return true;
  const std::lock_guard lock(mutex_);
  report_failed_executor(executor, id, std::move(answer.bytes));
  return false;
}

void worker::report_failed_executor(executor_entry& executor, std::uint32_t id, byte_buffer exception) {
  executor.is = executor_entry::state::failed;
  outbox_.open_failed(id, std::move(exception));
  flush();
}

// Runs the first task of the queue, or as many as its runner takes at once. Releases the lock while tasks run.
void worker::run_next(std::unique_lock<std::mutex>& lock) {
  const std::uint32_t id = queue_.front().executor;
  const auto open = executors_.find(id);
  const std::shared_ptr<executor_entry> executor = open == executors_.end() ? nullptr : open->second;
  if (executor == nullptr || executor->is == executor_entry::state::failed) {  // rank 0 has completed the task
    queue_.pop_front();
    ended_ = clock::now();
    forget_task();
    return;
  }
  task_runner& runner = executor->runner != nullptr ? *executor->runner : *runner_;
  const std::size_t most = runner.batch_size();
  do {
    batch_.push_back(queue_.front());
    queue_.pop_front();
  } while (batch_.size() < most && !queue_.empty() && queue_.front().executor == id);
  answered_ = 0;
  batch_end_ = batch_.size();
  batch_runner_ = &runner;
  runner.prepare(batch_.size());
  set_running(batch_.front().id);
  {
    const item_note_scope notes(running_task_.item);
    run_batch(*executor, runner, lock);
  }
  set_running(0);
  batch_runner_ = nullptr;
  for (std::size_t t = 0; t < batch_.size(); ++t) forget_task();
  batch_.clear();
}

// Runs batch_. Releases the lock while its tasks run, and holds it at the end.
void worker::run_batch(executor_entry& executor, task_runner& runner, std::unique_lock<std::mutex>& lock) {
  const std::uint32_t id = batch_.front().executor;
  calls_.clear();
  for (const queued_task& task : batch_) calls_.push_back({task.function, task.payload, task.out_of_band, task.limits});
  struct {
    clock::time_point begin;
    std::unique_lock<std::mutex>& lock;
  } state{ended_, lock};
  lock.unlock();
  begin_task();
  byte_buffer failure;
  try {
    bool runs = true;
    if (executor.is == executor_entry::state::fresh) {
      runs = initialize(executor, id);
      state.begin = {};
    }
    if (state.begin == clock::time_point()) state.begin = clock::now();
    if (runs) {
      // The lock stays held after the last answer.
      runner.run(calls_, [this, &state](task_runner::answer&& a) {
        const bool is_last = answered_ + 1 == batch_.size();
        if (is_last) end_task();
        state.lock.lock();
        take_answer(std::move(a), state.begin);
        if (!is_last) state.lock.unlock();
      });
    }
  } catch (initializer_failure& e) {
    failure = std::move(e.exception);
  } catch (const std::exception& e) {  // no runner process can be started
    if (lock.owns_lock()) {
      if (answered_ < batch_.size()) end_task();  // so that the attendant ends
      throw;
    }
    failure = encoded_exception(error(e.what()));
  }
  if (lock.owns_lock()) return;
  end_task();
  lock.lock();
  if (!failure.empty() && failure_ == nullptr) report_failed_executor(executor, id, std::move(failure));
}

// Adds the result of the next task of batch_ to the outbox. `begin`: of its execution, if the runner has not measured that.
void worker::take_answer(task_runner::answer&& a, clock::time_point begin) {
  const auto end = clock::now();
  const auto taken = a.taken.count() > 0 ? a.taken : end - begin;
  if (reports_ends_) outbox_.ended(std::chrono::nanoseconds(end.time_since_epoch()).count());
  outbox_.result(batch_[answered_].id, a.threw, static_cast<std::uint64_t>(taken.count()), std::move(a.bytes), a.out_of_band);
  ++answered_;
  set_running(answered_ < batch_.size() ? batch_[answered_].id : 0);
  ended_ = end;
}

void worker::begin_task() {
  task_.fetch_add(1);
  if (attendant_asleep_.load()) {
    std::lock_guard lock(attendant_mutex_);
    attendant_wakes_.notify_one();
  }
}

void worker::end_task() { task_.store(task_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

// Tells rank 0 which task runs. If the process dies, rank 0 attributes that to this task and not to the prefetched ones.
void worker::report_running() {
  if (running_ == 0 || running_ == reported_running_) return;
  if (batch_runner_ != nullptr && answered_ >= batch_runner_->started()) return;  // it may still be returned
  reported_running_ = running_;
  outbox_.started(running_);
}

// Runs on the attendant thread. While a task runs for long, it sends results, receives messages and drives transfers.
void worker::attend() {
  std::unique_lock waiting(attendant_mutex_);
  while (!leaving_) {
    const std::uint64_t seen = task_.load();
    attendant_wakes_.wait_for(waiting, pace_.attend_after, [&] { return leaving_; });
    if (leaving_ || task_.load() != seen) continue;
    if (seen % 2 == 0) {  // idle: sleeps until the next task begins
      attendant_asleep_.store(true);
      while (!attendant_wakes_.wait_for(waiting, check_interval, [&] { return leaving_ || task_.load() != seen; })) {
        if (link_.has_lost_descriptors()) end_without_descriptors();  // the other thread may be blocked because of this
      }
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
          report_running();
          if (clock::now() - flushed_ > pace_.flush_after) flush(queue_.size() <= filled_ / 4);
          (void)receive_all();
          if (stop_ && ends_process_ && end_process_) {
            send_stopped();
            end_process_(true);
          }
          (void)link_.sent_all();  // frames may need further calls of this process to leave
        } catch (...) {
          failure_ = std::current_exception();  // serve() throws it
        }
        if (link_.transferring()) pause = 50us;
      }
      std::this_thread::sleep_for(pause);
    }
    waiting.lock();
  }
}

}  // namespace rankpool::detail

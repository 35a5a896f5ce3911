#include "dispatcher/statistics.hpp"

#include <rankpool/detail/scheduler/job.hpp>

#include <algorithm>

namespace rankpool::detail {
namespace {

std::uint64_t value(const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); }

void set(std::atomic<std::uint64_t>& counter, std::uint64_t to) { counter.store(to, std::memory_order_relaxed); }

// The driving thread alone writes: a plain store suffices, and costs less than an atomic addition.
void add(std::atomic<std::uint64_t>& sum, std::uint64_t n) { set(sum, value(sum) + n); }

}  // namespace

statistics_observer::statistics_observer(const std::vector<worker_info>& workers, loss_listener losses)
    : workers_(workers), losses_(losses), worker_counters_(workers.size()) {}

std::uint64_t statistics_observer::now() const {
  const std::chrono::nanoseconds passed = std::chrono::steady_clock::now() - begin_;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(passed.count()));
}

worker_statistics statistics_observer::read(const counters& from, std::uint64_t now) {
  const std::uint64_t lost_at = value(from.lost_at);
  const std::uint64_t end = lost_at > 0 ? lost_at : now;
  const std::uint64_t running_since = value(from.running_since);
  const std::uint64_t running = running_since > 0 && running_since < end ? end - running_since : 0;
  const std::uint64_t busy = std::min(value(from.busy) + running, end);
  worker_statistics read;
  read.tasks = value(from.tasks);
  read.busy = std::chrono::nanoseconds(busy);
  read.idle = std::chrono::nanoseconds(end - busy);
  read.cpu_time = std::chrono::nanoseconds(value(from.cpu_time));
  read.bytes_sent = value(from.bytes_sent);
  read.bytes_received = value(from.bytes_received);
  return read;
}

cluster_statistics statistics_observer::of_all() const {
  const std::uint64_t uptime = now();
  cluster_statistics all;
  for (const counters& each : worker_counters_) {
    const worker_statistics one = read(each, uptime);
    all.tasks += one.tasks;
    all.busy += one.busy;
    all.cpu_time += one.cpu_time;
    all.bytes_sent += one.bytes_sent;
    all.bytes_received += one.bytes_received;
  }
  all.uptime = std::chrono::nanoseconds(uptime);
  all.messages_sent = value(messages_sent_);
  all.messages_received = value(messages_received_);
  all.retries = value(retries_);
  all.workers_lost = static_cast<int>(value(workers_lost_));
  all.tasks_lost = value(tasks_lost_);
  return all;
}

std::vector<worker_statistics> statistics_observer::of_each() const {
  const std::uint64_t uptime = now();
  std::vector<worker_statistics> all;
  all.reserve(workers_.size());
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    all.push_back(read(worker_counters_[w], uptime));
    all.back().rank = workers_[w].rank;
  }
  return all;
}

void statistics_observer::on_started(const observed_chunk& chunk) { set(of(chunk.worker).running_since, now()); }

void statistics_observer::on_finished(const observed_chunk& chunk, outcome& result) {
  counters& worker = of(chunk.worker);
  set(worker.running_since, 0);  // a worker runs one task at a time, and results arrive in order
  add(worker.tasks, chunk.count);
  add(worker.busy, static_cast<std::uint64_t>(result.taken.count()));
}

void statistics_observer::on_abandoned(const observed_chunk& chunk) { set(of(chunk.worker).running_since, 0); }

void statistics_observer::on_cpu_time(worker_index where, std::uint64_t nanoseconds) { set(of(where.value).cpu_time, nanoseconds); }

void statistics_observer::on_message_sent(worker_index to, std::size_t bytes) {
  add(messages_sent_, 1);
  add(of(to.value).bytes_sent, bytes);
}

void statistics_observer::on_message_received(worker_index from, std::size_t bytes) {
  add(messages_received_, 1);
  add(of(from.value).bytes_received, bytes);
}

void statistics_observer::on_retry() { add(retries_, 1); }

void statistics_observer::on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) {
  const auto found = std::ranges::find(workers_, where.rank, &worker_info::rank);
  counters& lost = of(static_cast<int>(found - workers_.begin()));
  const std::uint64_t time = now();
  if (const std::uint64_t since = value(lost.running_since); since > 0) {  // so that its figures remain
    set(lost.running_since, 0);
    add(lost.busy, time - since);
  }
  set(lost.lost_at, time);
  add(workers_lost_, 1);
  add(tasks_lost_, tasks);
  if (losses_ != nullptr) losses_(where, cause, tasks);
}

}  // namespace rankpool::detail

#include "trace/recorder.hpp"

#include "support/log.hpp"
#include "trace/frequent_event.hpp"

#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/errors.hpp>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

constexpr int slices_of_run = 20'000;  // a longer slice than this part of the run until then ends
constexpr int pauses_of_slice = 10;    // a longer pause than this part of a slice begins a new one
constexpr std::chrono::nanoseconds least_time_between_counters = 20ms;
constexpr std::uint64_t most_failures_written = 1000;
constexpr std::size_t longest_error = 2000;                           // in bytes, of an error and of its stack
constexpr std::chrono::nanoseconds least_time_until_written = 100ms;  // messages of chunks that ended earlier have arrived
constexpr int rank_0_process = 1;  // the number of a node in the trace is one more than in the pool, because viewers hide process 0
constexpr int rank_0_thread = 0;
constexpr event_track rank_0_track{rank_0_process, rank_0_thread};

double microseconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1000; }

double resident_mib() {
  std::ifstream pages("/proc/self/statm");
  double size = 0;
  double resident = 0;
  pages >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::string text_of(const ordered_json& event) { return event.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

std::vector<std::string> command_line() {
  std::ifstream words("/proc/self/cmdline");
  std::vector<std::string> all;
  for (std::string word; std::getline(words, word, '\0');) all.push_back(word);
  return all;
}

ordered_json metadata(const char* name, int process, int thread, ordered_json args) {
  return {{"ph", "M"}, {"name", name}, {"pid", process}, {"tid", thread}, {"args", std::move(args)}};
}

}  // namespace

recorder::recorder(const std::string& path, const leader& rank_0, std::vector<place> workers, clock now)
    : now_(std::move(now)),
      origin_(now_()),
      // At most about 50,000 slices per second if short tasks follow without pauses, for any number of workers.
      shortest_slice_(std::max<std::chrono::nanoseconds>(1ms, static_cast<std::int64_t>(workers.size()) * 20us)),
      totals_(workers.size()),
      next_counters_(origin_),
      file_(path, {.prepare = [this] { write_ended(); }, .complete = [this](std::string& events) { functions_.resolve(events); }}) {
  const std::lock_guard lock(mutex_);
  for (place& w : workers) tracks_.push_back({std::move(w), {}, 0});
  write_run(rank_0);
  write_names(rank_0.host);
}

std::chrono::nanoseconds recorder::longest_slice_after(std::chrono::nanoseconds elapsed) const {
  return std::max(shortest_slice_, elapsed / slices_of_run);
}

// The worker is in the process of rank 0.
bool recorder::is_inline() const { return tracks_.size() == 1 && tracks_[0].where.worker.rank == rank_0_thread; }

void recorder::write_run(const leader& rank_0) {
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  file_.add(text_of(metadata("rankpool run", rank_0_process, rank_0_thread,
                             {{"format", 1},
                              {"version", RANKPOOL_VERSION},
                              {"mpi", rank_0.mpi},
                              {"command", command_line()},
                              {"host", rank_0.host},
                              {"pid", ::getpid()},
                              {"started", now},  // in seconds since 1970
                              {"workers", tracks_.size()},
                              {"inline", is_inline()}})));
}

void recorder::write_names(const std::string& host) {
  std::map<int, std::string> hosts{{0, host}};
  for (const track& t : tracks_) hosts.emplace(t.where.node, t.where.worker.host);
  for (const auto& [node, name] : hosts) {
    file_.add(metadata("process_name", rank_0_process + node, 0, {{"name", name}}).dump());
    file_.add(metadata("process_sort_index", rank_0_process + node, 0, {{"sort_index", node}}).dump());
  }
  const auto write_thread = [&](int process, int rank, const std::string& name) {
    file_.add(metadata("thread_name", process, rank, {{"name", name}}).dump());
    file_.add(metadata("thread_sort_index", process, rank, {{"sort_index", rank}}).dump());
  };
  if (!is_inline()) write_thread(rank_0_process, rank_0_thread, "rank 0: the pool's own work");
  for (const track& t : tracks_) {
    write_thread(rank_0_process + t.where.node, t.where.worker.rank, "rank " + std::to_string(t.where.worker.rank));
  }
}

// ---- chunks

void recorder::on_sent(const observed_chunk& chunk) {
  const std::lock_guard lock(mutex_);
  if (is_finished_) return;
  track& t = tracks_[static_cast<std::size_t>(chunk.worker)];
  if (t.tasks_there == 0 && t.where.node != 0) t.sent = now_();
  t.tasks_there += chunk.count;
  tasks_at_workers_ += chunk.count;
}

// Returns the number of tasks that the worker had.
std::uint64_t recorder::remove_from_worker(const observed_chunk& chunk) {
  track& t = tracks_[static_cast<std::size_t>(chunk.worker)];
  const std::uint64_t there = std::min(chunk.count, t.tasks_there);  // on_recalled() has removed a chunk that is at its crash limit
  t.tasks_there -= there;
  t.sent.reset();
  tasks_at_workers_ -= there;
  return there;
}

void recorder::on_recalled(const observed_chunk& chunk) {
  const std::lock_guard lock(mutex_);
  totals_.add_recalled(static_cast<std::size_t>(chunk.worker), remove_from_worker(chunk));
}

void recorder::on_abandoned(const observed_chunk& chunk) {
  const std::lock_guard lock(mutex_);
  (void)remove_from_worker(chunk);
}

// Returns when a chunk has ended, and corrects the offset of its node's clock.
std::chrono::nanoseconds recorder::end_of(const observed_chunk& chunk, std::chrono::nanoseconds taken) {
  const track& at = tracks_[static_cast<std::size_t>(chunk.worker)];
  const auto end = [&] { return chunk.ended - at.where.clock_ahead - origin_.time_since_epoch(); };
  if (at.where.node == 0) return end();
  auto correction = std::max(0ns, end() - (now_() - origin_));
  if (correction == 0ns && at.sent) correction = std::min(0ns, end() - taken - (*at.sent - origin_));
  if (correction == 0ns) return end();
  for (track& t : tracks_) {
    if (t.where.node == at.where.node) t.where.clock_ahead += correction;
  }
  return end();
}

void recorder::on_finished(const observed_chunk& chunk, outcome& result) {
  const std::lock_guard lock(mutex_);
  if (is_finished_) return;
  const auto end = chunk.ended == 0ns ? 0ns : end_of(chunk, result.taken);
  (void)remove_from_worker(chunk);
  track& t = tracks_[static_cast<std::size_t>(chunk.worker)];
  const std::size_t function = functions_.number_of(chunk.work);
  const failed_items failed = chunk.work.failures_in(chunk.first, chunk.count, result, most_failures_written - failures_written_);
  if (chunk.ended == 0ns) {  // no worker has returned a result: the chunk fails because of lost workers
    write_failures(t, chunk.work, failed, now_() - origin_);
    totals_.add_failed(function, static_cast<std::size_t>(chunk.worker), failed.count);
    return;
  }
  // The worker measures begin and end of adjacent chunks separately; its chunks never overlap.
  const auto begin = std::max(end - result.taken, t.current.end);
  slice& s = t.current;
  const auto longest = longest_slice_after(end);
  if (s.chunks == 0 || s.function != function || begin - s.end > longest / pauses_of_slice || end - s.begin > longest) {
    write(t);
    s.begin = begin;
    s.function = function;
  }
  s.end = std::max(end, begin);
  s.busy += result.taken;
  ++s.chunks;
  s.tasks += chunk.count;
  s.failed += failed.count;
  write_failures(t, chunk.work, failed, s.end);
  totals_.add({.function = function,
               .worker = static_cast<std::size_t>(chunk.worker),
               .first = chunk.work.task_number(chunk.first),
               .tasks = chunk.count,
               .failed = failed.count,
               .begin = begin,
               .taken = result.taken});
}

void recorder::write_failures(const track& t, const job& work, const failed_items& failed, std::chrono::nanoseconds when) {
  failures_written_ += failed.examples.size();
  for (const failed_items::example& each : failed.examples) {
    ordered_json args{{"function", function_names::reference(functions_.number_of(work))},
                      {"item", work.task_number(each.item)},
                      {"error", describe(each.error).substr(0, longest_error)}};
    try {
      std::rethrow_exception(each.error);
    } catch (const std::exception& e) {
      const remote_info* where = remote_context(e);
      if (where != nullptr && !where->trace.empty()) args["stack"] = where->trace.substr(0, longest_error);
    } catch (...) {
    }
    file_.add(text_of({{"ph", "i"},
                       {"name", "failed"},
                       {"pid", rank_0_process + t.where.node},
                       {"tid", t.where.worker.rank},
                       {"ts", microseconds(when)},
                       {"s", "t"},
                       {"args", std::move(args)}}));
  }
}

void recorder::write(track& t) {
  const slice s = std::exchange(t.current, {.end = t.current.end});
  if (s.chunks == 0) return;
  const std::string name = function_names::reference_in_json(s.function);
  const event_track where{rank_0_process + t.where.node, t.where.worker.rank};
  const event_argument tasks("tasks", s.tasks);
  const event_argument chunks("chunks", s.chunks);
  const event_argument busy("busy_us", s.busy);
  file_.add(s.failed == 0 ? slice_event(name, where, s.begin, s.end, {tasks, chunks, busy})
                          : slice_event(name, where, s.begin, s.end, {tasks, chunks, busy, {"failed", s.failed}}));
}

// Writes the slices that no later chunk will extend, so that the trace of a run that is killed has them.
void recorder::write_ended() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || is_finished_) return;  // finish() holds the lock while it waits for the thread that calls this
  const auto now = now_() - origin_;
  const auto old = std::max(least_time_until_written, longest_slice_after(now) / pauses_of_slice);
  for (track& t : tracks_) {
    if (now - t.current.end > old) write(t);
  }
}

// ---- workers

void recorder::on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) {
  const std::lock_guard lock(mutex_);
  if (is_finished_) return;
  const auto lost = std::ranges::find_if(tracks_, [&](const track& t) { return t.where.worker.rank == where.rank; });
  if (lost == tracks_.end()) return;
  file_.add(text_of({{"ph", "i"},
                     {"name", "worker lost"},
                     {"pid", rank_0_process + lost->where.node},
                     {"tid", where.rank},
                     {"ts", microseconds(now_() - origin_)},
                     {"s", "t"},
                     {"args", {{"cause", cause}, {"unfinished_tasks", tasks}}}}));
}

void recorder::on_cpu_time(worker_index where, std::uint64_t nanoseconds) {
  const std::lock_guard lock(mutex_);
  totals_.set_cpu_time(static_cast<std::size_t>(where.value), std::chrono::nanoseconds(nanoseconds));
}

// ---- rank 0

void recorder::on_step(const observed_step& step) {
  const std::lock_guard lock(mutex_);
  if (is_finished_) return;
  // Pauses between two steps of rank 0 are about as long as tasks.
  if (rank_0_.steps > 0 && step.end - rank_0_.begin > longest_slice_after(step.end - origin_)) write(rank_0_);
  if (rank_0_.steps == 0) rank_0_.begin = step.begin;
  rank_0_.end = step.end;
  rank_0_.receiving += step.received - step.begin;
  rank_0_.scheduling += step.scheduled - step.received;
  rank_0_.sending += step.sent - step.scheduled;
  rank_0_.in_callbacks += step.end - step.sent;
  ++rank_0_.steps;
  const bool is_due = step.end >= next_counters_;
  if (is_due && !is_last_step_written_) write_counters();  // what was true during a pause
  last_step_ = step;
  tasks_after_last_step_ = tasks_at_workers_;
  is_last_step_written_ = false;
  if (is_due) write_counters();
}

void recorder::write(busy_time& busy) {
  const busy_time b = std::exchange(busy, {});
  if (b.steps == 0 || is_inline()) return;  // inline, tasks run within the steps
  file_.add(slice_event("\"work\"", rank_0_track, b.begin - origin_, b.end - origin_,
                        {{"receiving_us", b.receiving},
                         {"scheduling_us", b.scheduling},
                         {"sending_us", b.sending},
                         {"callbacks_us", b.in_callbacks},
                         {"steps", b.steps}}));
}

void recorder::write_counters() {
  const observed_step& step = last_step_;
  is_last_step_written_ = true;
  next_counters_ = step.end + std::max(least_time_between_counters, longest_slice_after(step.end - origin_));
  const auto add = [&](std::string_view name, std::initializer_list<event_argument> values) {
    file_.add(counter_event(name, rank_0_track, step.end - origin_, values));
  };
  add("tasks at workers", {{"tasks", tasks_after_last_step_}});
  add("unfinished calls", {{"calls", step.unfinished_jobs}});
  add("messages", {{"sent", step.sent_so_far.messages}, {"received", step.received_so_far.messages}});
  add("message bytes", {{"sent", step.sent_so_far.bytes}, {"received", step.received_so_far.bytes}});
  add("resident memory of rank 0, MiB", {{"MiB", resident_mib()}});
}

// ---- the end

void recorder::write_totals(const std::string& ending) {
  const auto add = [&](const char* name, const track& t, ordered_json args) {
    file_.add(text_of(metadata(name, rank_0_process + t.where.node, t.where.worker.rank, std::move(args))));
  };
  for (std::size_t number = 0; number < totals_.functions().size(); ++number) {
    const run_totals::function_totals& f = totals_.functions()[number];
    ordered_json times = ordered_json::array();  // lower limit and number of tasks of each class
    for (std::size_t i = 0; i < f.times.size(); ++i) {
      if (f.times[i] > 0) times.push_back({microseconds(run_totals::lower_limit(i)), f.times[i]});
    }
    file_.add(text_of(metadata("rankpool function", rank_0_process, rank_0_thread,
                               {{"function", function_names::reference(number)},
                                {"tasks", f.tasks},
                                {"failed", f.failed},
                                {"chunks", f.chunks},
                                {"busy_us", microseconds(f.busy)},
                                {"times_us", std::move(times)}})));
  }
  for (std::size_t number = 0; number < tracks_.size(); ++number) {
    const run_totals::worker_totals& w = totals_.workers()[number];
    add("rankpool worker", tracks_[number],
        {{"tasks", w.tasks},
         {"failed", w.failed},
         {"chunks", w.chunks},
         {"busy_us", microseconds(w.busy)},
         {"cpu_us", microseconds(w.cpu)},
         {"recalled", w.recalled}});
  }
  for (const run_totals::ended_chunk& chunk : totals_.slowest()) {
    add("rankpool slow tasks", tracks_[chunk.worker],
        {{"function", function_names::reference(chunk.function)},
         {"first", chunk.first},
         {"tasks", chunk.tasks},
         {"begin_us", microseconds(chunk.begin)},
         {"taken_us", microseconds(chunk.taken)}});
  }
  file_.add(text_of(metadata(
      "rankpool end", rank_0_process, rank_0_thread,
      {{"end_us", microseconds(now_() - origin_)}, {"dropped", file_.dropped()}, {"ending", ending.substr(0, longest_error)}})));
}

std::string recorder::finish(const std::string& ending) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(is_finished_, true)) return {};
  for (track& t : tracks_) write(t);
  write(rank_0_);
  write_totals(ending);
  const std::uint64_t dropped = file_.dropped();
  std::string problem = file_.close();
  if (problem.empty() && dropped > 0) problem = std::to_string(dropped) + " events were dropped, because the file is too slow";
  return problem;
}

}  // namespace rankpool::detail

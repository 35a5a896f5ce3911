// Simulates how many workers one rank 0 can keep busy: the real scheduler, simulated workers and message costs, in virtual time.
//
//   ./scale_simulation [WORKERS...]
//   ./scale_simulation losses [WORKERS] [TASK_SECONDS]
//
// The second form loses a worker every second and a node of 64 workers every minute, and prints the share of the time of the
// workers that are left in tasks that count, how many workers were lost, and how many tasks were run twice. The first form prints a
// line for each number of workers, mean task length and distribution:
//   workers task_us distribution busy rank0_busy
// `busy` is the share of the workers' time in tasks, from the first submit until rank 0 has sent the last task. `rank0_busy` is
// the share of that time in which rank 0 works. README.md explains the costs.
#include "scheduler/scheduler.hpp"
#include "wire/worker_pace.hpp"

#include <rankpool/errors.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <queue>
#include <random>
#include <span>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;
using nanoseconds = std::chrono::nanoseconds;
using instant = steady_time;

// ---- costs

struct costs {
  nanoseconds to_receive = 700ns;  // rank 0, for each message that it receives
  nanoseconds to_send = 500ns;     // rank 0, for each message that it sends
  nanoseconds per_result = 110ns;  // rank 0, for each result in a message
  nanoseconds per_task = 110ns;    // rank 0, for each task: the rest of its submit, and its record in a message
  nanoseconds way = 2us;           // latency of a message between ranks
  nanoseconds to_wake = 50us;      // until an idle worker starts a task
  nanoseconds to_run = 120ns;      // a worker, for each task in addition to its length
};

constexpr std::size_t results_in_a_message = 280;  // as many as fit into transport::preferred_frame_bytes
constexpr std::size_t tasks_in_a_message = 150;
constexpr std::size_t messages_in_a_step = 64;

// ---- the tasks

void run_nothing(byte_reader&, byte_writer&) {}

class task final : public job {
 public:
  explicit task(nanoseconds length) : job(locate_function(&run_nothing), 0), length_(length) {}
  std::uint64_t available() override { return cut_ ? 0 : 1; }
  bool may_grow() override { return false; }
  chunk cut(std::uint64_t) override {
    cut_ = true;
    // The payload is the length, which the simulated worker reads.
    return {.first = 0, .count = 1, .payload = std::as_bytes(std::span(&length_, 1)), .out_of_band = {}, .kept = {}};
  }
  bool on_outcome(std::uint64_t, std::uint64_t, outcome&&) override { return false; }
  bool abandon(const std::exception_ptr&) override { return false; }

 private:
  const nanoseconds length_;
  bool cut_ = false;
};

enum class distribution { equal, heavy };

// Equal lengths, or a Pareto distribution of the same mean with exponent 1.5, truncated at a hundred times the mean.
class lengths {
 public:
  lengths(nanoseconds mean, distribution kind) : mean_(static_cast<double>(mean.count())), kind_(kind) {}
  nanoseconds next() {
    if (kind_ == distribution::equal) return nanoseconds(static_cast<std::int64_t>(mean_));
    constexpr double exponent = 1.5;
    const double least = mean_ / 2.75;  // gives this mean after the truncation
    const double u = std::uniform_real_distribution<double>(0, 1)(random_);
    return nanoseconds(static_cast<std::int64_t>(std::min(least / std::pow(1 - u, 1 / exponent), 100 * mean_)));
  }

 private:
  double mean_;
  distribution kind_;
  std::mt19937_64 random_{1};
};

// ---- the simulation

struct outgoing_task {
  chunk_id id;
  nanoseconds length;
};
struct result {
  chunk_id id;
  nanoseconds taken;
};
struct message_to_rank0 {
  int worker;
  std::vector<result> results;
  bool recalled = false;
  std::vector<chunk_id> given_back;
};

/// How often workers are lost; 0: never.
struct losses {
  nanoseconds between_workers{};
  nanoseconds between_nodes{};
};

constexpr std::size_t workers_of_node = 64;
constexpr nanoseconds to_detect = 2ms;  // from the death of a worker until rank 0 knows of it

class world {
 public:
  world(int workers, nanoseconds mean, distribution kind, std::size_t tasks, losses lost = {})
      : scheduler_(workers), pace_(worker_pace::for_workers(workers)), lost_(lost), workers_(static_cast<std::size_t>(workers)) {
    alive_ = workers_.size();
    if (lost.between_workers > 0ns) at(instant{} + lost.between_workers, event::kind::worker_dies);
    if (lost.between_nodes > 0ns) at(instant{} + lost.between_nodes, event::kind::node_dies);
    scheduler_.on_open(1, workers, 3);
    lengths length(mean, kind);
    effects out;
    for (std::size_t i = 0; i < tasks; ++i) {
      auto work = make_job<task>(length.next());
      work->schedule.executor = 1;
      scheduler_.on_submit(std::move(work), out);
    }
    left_ = tasks;
    unsent_ = tasks;
    at(instant{}, event::kind::step);
  }

  struct outcome_of_run {
    double busy;
    double rank0_busy;
    std::size_t workers_lost;
    std::size_t run_twice;
  };

  outcome_of_run run() {
    while (left_ > 0 && !events_.empty()) {
      const event e = events_.top();
      events_.pop();
      alive_time_ += (e.when - now_) * static_cast<std::int64_t>(alive_);
      now_ = e.when;
      if (e.which >= 0 && is_of_worker(e.what) && workers_[static_cast<std::size_t>(e.which)].is_dead) continue;
      switch (e.what) {
        case event::kind::step: step(); break;
        case event::kind::to_worker: arrive(static_cast<std::size_t>(e.which)); break;
        case event::kind::task_over: task_over(static_cast<std::size_t>(e.which)); break;
        case event::kind::to_rank0:
          inbox_.push_back(std::move(on_the_way_[static_cast<std::size_t>(e.which)]));
          wake_rank0();
          break;
        case event::kind::attend: attend(static_cast<std::size_t>(e.which)); break;
        case event::kind::worker_dies:
          if (alive_ > 1) die(random_() % workers_.size());
          at(now_ + lost_.between_workers, event::kind::worker_dies);
          break;
        case event::kind::node_dies: {
          const std::size_t first = random_() % (workers_.size() / workers_of_node) * workers_of_node;
          for (std::size_t w = first; w < first + workers_of_node && alive_ > 1; ++w) die(w);
          at(now_ + lost_.between_nodes, event::kind::node_dies);
          break;
        }
        case event::kind::detected: detect(static_cast<int>(e.which)); break;
      }
    }
    return {std::chrono::duration<double>(useful_at_all_sent_).count() / std::chrono::duration<double>(alive_at_all_sent_).count(),
            std::chrono::duration<double>(rank0_busy_).count() / std::chrono::duration<double>(all_sent_ - instant{}).count(),
            workers_.size() - alive_, run_twice_};
  }

 private:
  struct event {
    enum class kind { step, to_worker, task_over, to_rank0, attend, worker_dies, node_dies, detected } what;
    instant when;
    std::int64_t which = 0;
    std::uint64_t order = 0;
    friend bool operator<(const event& a, const event& b) { return a.when != b.when ? a.when > b.when : a.order > b.order; }
  };
  struct a_worker {
    std::deque<outgoing_task> queue;
    std::deque<std::pair<instant, std::vector<outgoing_task>>> coming;
    std::deque<instant> recalls;
    std::vector<result> done;
    instant flushed{};
    instant began{};  // of the running task
    bool running = false;
    bool is_dead = false;
    nanoseconds useful{};
  };

  // Events that do not happen any more once the worker has died.
  static bool is_of_worker(enum event::kind what) {
    return what == event::kind::to_worker || what == event::kind::task_over || what == event::kind::attend;
  }

  void die(std::size_t index) {
    a_worker& w = workers_[index];
    if (w.is_dead) return;
    w.is_dead = true;
    --alive_;
    run_twice_ += w.done.size() + (w.running ? 1 : 0);
    for (const result& r : w.done) useful_ -= r.taken - cost_.to_run;
    w.running = false;
    w.done.clear();
    at(now_ + to_detect, event::kind::detected, static_cast<std::int64_t>(index));
  }

  void detect(int index) {
    const std::size_t chunks = scheduler_.state().workers[static_cast<std::size_t>(index)].chunks.size();
    effects out;
    scheduler_.on_worker_lost({index}, std::make_exception_ptr(rankpool::worker_lost()), out);
    unsent_ += chunks - out.completions.size();
    wake_rank0();
  }

  void at(instant when, event::kind what, std::int64_t which = 0) { events_.push({what, when, which, ++order_}); }

  void wake_rank0() {
    if (stepping_) return;
    stepping_ = true;
    at(std::max(now_, rank0_free_), event::kind::step);
  }

  // As pool::step: handles some messages, then sends the tasks that are ready.
  void step() {
    stepping_ = false;
    effects out;
    nanoseconds spent{};
    for (std::size_t n = 0; n < messages_in_a_step && !inbox_.empty(); ++n) {
      const message_to_rank0 m = std::move(inbox_.front());
      inbox_.pop_front();
      spent += cost_.to_receive + cost_.per_result * static_cast<std::int64_t>(m.results.size());
      for (const result& r : m.results) {
        if (scheduler_.on_result({m.worker}, r.id, r.taken, 8, now_ + spent, out)) --left_;
      }
      if (m.recalled) {
        scheduler_.on_recalled({m.worker}, m.given_back, out);
        unsent_ += m.given_back.size();
      }
    }
    scheduler_.dispatch(now_ + spent, out);
    std::size_t first = 0;
    for (std::size_t i = 0; i <= out.send.size(); ++i) {  // consecutive tasks for one worker share a message
      const bool ends = i == out.send.size() || out.send[i].to.value != out.send[first].to.value || i - first == tasks_in_a_message;
      if (!ends || i == first) continue;
      spent += cost_.to_send + cost_.per_task * static_cast<std::int64_t>(i - first);
      send(static_cast<std::size_t>(out.send[first].to.value), out, first, i, now_ + spent + cost_.way);
      first = i;
    }
    for (const auto& recall : out.recalls) {
      spent += cost_.to_send;
      auto& w = workers_[static_cast<std::size_t>(recall.to.value)];
      w.recalls.push_back(now_ + spent + cost_.way);
      at(w.recalls.back(), event::kind::to_worker, recall.to.value);
    }
    const bool had_some = unsent_ > 0;
    unsent_ -= out.send.size();
    rank0_free_ = now_ + spent;
    if (had_some) rank0_busy_ += spent;
    if (had_some && unsent_ == 0) {
      all_sent_ = rank0_free_;
      useful_at_all_sent_ = useful_;
      alive_at_all_sent_ = alive_time_;
      for (const a_worker& w : workers_) useful_at_all_sent_ += w.running && w.began < now_ ? now_ - w.began : nanoseconds();
    }
    if (!inbox_.empty()) {
      wake_rank0();
    } else if (const auto check = scheduler_.next_check(now_); check && !stepping_) {
      stepping_ = true;
      at(std::max(*check, rank0_free_), event::kind::step);
    }
  }

  void send(std::size_t worker, const effects& out, std::size_t first, std::size_t last, instant arrives) {
    std::vector<outgoing_task> tasks;
    for (std::size_t i = first; i < last; ++i) {
      nanoseconds length;
      std::memcpy(&length, out.send[i].part->payload.data(), sizeof length);
      tasks.push_back({out.send[i].id, length});
    }
    workers_[worker].coming.emplace_back(arrives, std::move(tasks));
    at(arrives, event::kind::to_worker, static_cast<std::int64_t>(worker));
  }

  void arrive(std::size_t index) {
    a_worker& w = workers_[index];
    while (!w.coming.empty() && w.coming.front().first <= now_) {
      for (const outgoing_task& t : w.coming.front().second) w.queue.push_back(t);
      w.coming.pop_front();
    }
    while (!w.recalls.empty() && w.recalls.front() <= now_) {
      w.recalls.pop_front();
      std::vector<chunk_id> ids;
      while (w.queue.size() > (w.running ? 1 : 0)) {
        ids.insert(ids.begin(), w.queue.back().id);
        w.queue.pop_back();
      }
      post(index, true, std::move(ids));
    }
    if (!w.running && !w.queue.empty()) begin(index, now_ + cost_.to_wake);
  }

  void begin(std::size_t index, instant when) {
    a_worker& w = workers_[index];
    w.running = true;
    w.began = when;
    const nanoseconds takes = w.queue.front().length + cost_.to_run;
    at(when + takes, event::kind::task_over, static_cast<std::int64_t>(index));
    const instant attended = std::max<instant>(when + pace_.attend_after, w.flushed + pace_.flush_after);
    if (attended < when + takes && !w.done.empty()) at(attended, event::kind::attend, static_cast<std::int64_t>(index));
  }

  // Finished results are sent while a long task runs.
  void attend(std::size_t index) {
    if (workers_[index].running && !workers_[index].done.empty()) post(index, false, {});
  }

  void task_over(std::size_t index) {
    a_worker& w = workers_[index];
    const outgoing_task over = w.queue.front();
    w.queue.pop_front();
    w.running = false;
    useful_ += over.length;
    w.done.push_back({over.id, over.length + cost_.to_run});
    if (w.queue.empty() || now_ - w.flushed > pace_.flush_after || w.done.size() >= results_in_a_message) post(index, false, {});
    if (!w.queue.empty()) begin(index, now_);
  }

  void post(std::size_t index, bool recalled, std::vector<chunk_id> given_back) {
    a_worker& w = workers_[index];
    w.flushed = now_;
    on_the_way_.push_back({static_cast<int>(index), std::move(w.done), recalled, std::move(given_back)});
    w.done.clear();
    at(now_ + cost_.way, event::kind::to_rank0, static_cast<std::int64_t>(on_the_way_.size() - 1));
  }

  costs cost_;
  scheduler scheduler_;
  const worker_pace pace_;
  const losses lost_;
  std::vector<a_worker> workers_;
  std::size_t alive_ = 0;
  nanoseconds alive_time_{};  // of all workers
  nanoseconds alive_at_all_sent_{};
  std::size_t run_twice_ = 0;
  std::mt19937_64 random_{1};
  std::priority_queue<event> events_;
  std::uint64_t order_ = 0;
  instant now_{};
  std::deque<message_to_rank0> inbox_;
  std::vector<message_to_rank0> on_the_way_;
  bool stepping_ = true;
  instant rank0_free_{};
  nanoseconds rank0_busy_{};
  std::size_t left_ = 0;
  std::size_t unsent_ = 0;
  instant all_sent_{};
  nanoseconds useful_{};
  nanoseconds useful_at_all_sent_{};  // includes a part of running tasks
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "losses") == 0) {
    const int workers = argc > 2 ? std::atoi(argv[2]) : 10'000;
    const auto length = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(argc > 3 ? std::atof(argv[3]) : 1));
    const std::size_t tasks = 200 * static_cast<std::size_t>(workers);
    for (const losses& lost : {losses{}, losses{1s, 60s}}) {
      const auto result = world(workers, length, distribution::equal, tasks, lost).run();
      std::printf("%d workers, %zu tasks: busy %.4f, %zu workers lost, %zu tasks run twice\n", workers, tasks, result.busy,
                  result.workers_lost, result.run_twice);
    }
    return 0;
  }
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {10, 100, 1000, 10'000, 100'000};
  for (const distribution kind : {distribution::equal, distribution::heavy}) {
    for (const int workers : sizes) {
      for (const nanoseconds mean :
           {nanoseconds(10us), nanoseconds(30us), nanoseconds(100us), nanoseconds(300us), nanoseconds(1ms), nanoseconds(3ms),
            nanoseconds(10ms), nanoseconds(30ms), nanoseconds(100ms), nanoseconds(1s), nanoseconds(10s)}) {
        // Each worker runs several prefetch windows and tasks, so that the start and the end hardly count.
        const double window = static_cast<double>(scheduling_policy().prefetch_window.count()) + 20e3 * workers;
        const auto each = std::clamp(50 * window / static_cast<double>(mean.count()), 20.0, 20'000.0);
        const std::size_t tasks = std::min(static_cast<std::size_t>(each * workers),
                                           std::max<std::size_t>(2'000'000, 20UL * static_cast<std::size_t>(workers)));
        const auto result = world(workers, mean, kind, tasks).run();
        std::printf("%d %g %s %.4f %.4f\n", workers, static_cast<double>(mean.count()) / 1000,
                    kind == distribution::equal ? "equal" : "heavy", result.busy, result.rank0_busy);
        std::fflush(stdout);
      }
    }
  }
}

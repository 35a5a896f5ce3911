// Arbitrary events in any order: the scheduler's state is consistent after each event, and in the end every job has finished once.
#include "fuzz/input.hpp"
#include "scheduler/scheduler.hpp"
#include "support/counting_job.hpp"

#include <array>
#include <deque>
#include <memory>
#include <vector>

using namespace rankpool::detail;
using support::counting_job;

namespace {

constexpr std::size_t workers = 3;
constexpr std::size_t most_executors = 4;

class world {
 public:
  void event(fuzz::input& in) {
    effects out;
    const auto id = static_cast<executor_id>(1 + in.below(most_executors));
    const auto w = in.below(workers);
    switch (in.number<std::uint8_t>() % 13) {
      case 0:
        if (opened_ < most_executors) {
          most_[opened_] = 1 + in.below(workers);
          scheduler_.on_open(static_cast<executor_id>(opened_ + 1), static_cast<int>(most_[opened_]), 3);
          ++opened_;
        }
        break;
      case 1:
      case 2: {
        if (id > opened_) break;  // executors are opened before jobs are submitted to them
        auto work = make_job<counting_job>(1 + in.below(40), in.below(4), in.below(3));
        work->growing = in.below(4) == 0;
        jobs_.push_back(work);
        work->schedule.executor = id;
        work->schedule.priority = static_cast<int>(in.below(3));
        scheduler_.on_submit(work, out);
        break;
      }
      case 3:
        if (!jobs_.empty()) {
          const auto& work = jobs_[in.below(jobs_.size())];
          switch (in.below(3)) {
            case 0:
              if (const std::size_t n = 1 + in.below(5); work->growing) work->grow(n);
              break;
            case 1: work->seal(); break;
            default: (void)work->abandon(nullptr); break;
          }
          scheduler_.on_change(*work, out);
        }
        break;
      case 4:
      case 5:
      case 6: finish(w, in, out); break;
      case 7: {  // the worker returns recalled chunks
        auto& queue = queues_[w];
        std::vector<chunk_id> ids;
        while (queue.size() > 1) {
          ids.insert(ids.begin(), queue.back());
          queue.pop_back();
        }
        scheduler_.on_recalled({static_cast<int>(w)}, ids, out);
        break;
      }
      case 8: scheduler_.on_shutdown(id, in.below(2) == 0, out); break;
      case 9: scheduler_.on_broken(id, {static_cast<int>(w)}, std::make_exception_ptr(rankpool::broken_pool()), out); break;
      case 11: {
        if (id > opened_) break;
        std::vector<job_ptr> work;
        for (std::size_t i = 0; i < most_[id - 1]; ++i) {
          jobs_.push_back(make_job<counting_job>(1, 1, 3));
          jobs_.back()->schedule.executor = id;
          work.push_back(jobs_.back());
        }
        scheduler_.on_submit_everywhere(id, work, out);
        break;
      }
      case 10:
        (void)scheduler_.on_result({static_cast<int>(w)}, in.number<std::uint32_t>(), std::chrono::nanoseconds(1), 1, now_, out);
        break;
      default: now_ += std::chrono::microseconds(in.number<std::uint16_t>()); break;
    }
    take(out);
    dispatch();
  }

  void end() {
    effects out;
    scheduler_.on_end(std::make_exception_ptr(rankpool::pool_closed()), out);
    take(out);
    scheduler_.state().check();
    fuzz::require(!scheduler_.busy());
    fuzz::require(finished_ == jobs_.size());
  }

 private:
  void finish(std::size_t w, fuzz::input& in, effects& out) {
    if (queues_[w].empty()) return;
    const chunk_id id = queues_[w].front();
    queues_[w].pop_front();
    const std::chrono::nanoseconds taken(in.number<std::uint32_t>());
    now_ += taken;
    // A result of a chunk that was abandoned meanwhile is ignored.
    if (auto done = scheduler_.on_result({static_cast<int>(w)}, id, taken, 8, now_, out))
      done->work->on_outcome(done->first, done->count, {});
  }

  void dispatch() {
    effects out;
    scheduler_.dispatch(now_, out);
    take(out);
    scheduler_.state().check();
    (void)scheduler_.next_check(now_);
  }

  void take(effects& out) {
    for (const auto& order : out.send) queues_[static_cast<std::size_t>(order.to.value)].push_back(order.id);
    for (const auto& c : out.completions) c.work->on_outcome(c.first, c.count, {});
    for (const auto& a : out.abandon) a.work->abandon(a.error);
    finished_ += out.jobs_finished.size();
    for (const auto& a : out.abandon) {
      effects more;
      scheduler_.on_change(*a.work, more);
      take(more);
    }
  }

  scheduler scheduler_{static_cast<int>(workers)};
  std::vector<std::deque<chunk_id>> queues_ = std::vector<std::deque<chunk_id>>(workers);
  std::vector<shared_job<counting_job>> jobs_;
  std::array<std::size_t, most_executors> most_{};  // highest number of workers of each executor
  std::size_t opened_ = 0;
  std::size_t finished_ = 0;
  steady_time now_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  world w;
  while (!in.empty()) w.event(in);
  w.end();
  return 0;
}

// Events per second of the scheduler alone. A submitted job and a result are one event each, including all that they cause.
//
//   ./scheduler_bench [JOBS [WORKERS]]
#include "workload.hpp"

#include "scheduler/scheduler.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <vector>

namespace {

using namespace rankpool::detail;

void run_nothing(byte_reader&, byte_writer&) {}

class task final : public job {
 public:
  task() : job(locate_function(&run_nothing), 0) {}
  std::uint64_t available() override { return cut_ ? 0 : 1; }
  bool may_grow() override { return false; }
  chunk cut(std::uint64_t) override {
    cut_ = true;
    return {.first = 0, .count = 1, .payload = {}, .out_of_band = {}, .kept = {}};
  }
  bool on_outcome(std::uint64_t, std::uint64_t, outcome&&) override { return false; }
  bool abandon(const std::exception_ptr&) override { return false; }

 private:
  bool cut_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::size_t jobs = args.count(0, 2'000'000);
  const std::size_t workers = args.count(1, 16);
  constexpr std::size_t at_once = 256;  // events submitted at a time, or results in one message
  constexpr std::chrono::nanoseconds taken(500);

  scheduler s(static_cast<int>(workers));
  s.on_open(1, static_cast<int>(workers), 3);
  std::vector<std::deque<chunk_id>> queues(workers);
  steady_time now{};
  std::size_t submitted = 0;
  std::size_t finished = 0;
  effects out;
  const auto take = [&] {
    for (const auto& order : out.send) queues[static_cast<std::size_t>(order.to.value)].push_back(order.id);
    finished += out.jobs_finished.size();
    out = {};
  };
  const auto begin = bench::clock_type::now();
  while (finished < jobs) {
    for (std::size_t i = 0; i < at_once && submitted < jobs; ++i, ++submitted) {
      auto work = make_job<task>();
      work->schedule.executor = 1;
      s.on_submit(std::move(work), out);
    }
    for (std::size_t w = 0; w < workers; ++w) {
      for (std::size_t i = 0; i < at_once / workers + 1 && !queues[w].empty(); ++i) {
        now += taken;
        (void)s.on_result({static_cast<int>(w)}, queues[w].front(), taken, 8, now, out);
        queues[w].pop_front();
      }
    }
    s.dispatch(now, out);
    take();
  }
  std::printf("events_per_s %.0f\n", static_cast<double>(2 * jobs) / bench::seconds_since(begin));
}

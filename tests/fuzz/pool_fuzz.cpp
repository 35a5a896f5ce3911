// A worker that sends arbitrary records at any time: rank 0 accepts them or breaks the pool with a message, and in the end every
// future is done.
#include "dispatcher/pool.hpp"
#include "fuzz/input.hpp"
#include "support/scripted_transport.hpp"

#include <rankpool/executor.hpp>

#include <memory>
#include <utility>
#include <vector>

using namespace rankpool::detail;

namespace {

class untrue_workers final : public support::scripted_transport {
 private:
  void on_sent(const record& r) override {
    if (!std::holds_alternative<stop_record>(r)) return;
    frame_writer last;
    last.stopped();
    arrive(0, last.take());
  }
};

frame made_up_frame(fuzz::input& in) {
  frame_writer out;
  const std::size_t records = 1 + in.below(3);
  for (std::size_t i = 0; i < records; ++i) {
    switch (in.below(10)) {
      case 0: out.recalled({in.below(12), in.below(12)}, in.below(2) == 1); break;
      case 1: out.open_failed(static_cast<std::uint32_t>(in.below(3)), in.bytes(40)); break;
      case 2: out.stopped(); break;
      case 3: out.close(1); break;
      case 4: out.shared_here(in.below(3), in.below(100), static_cast<std::int32_t>(in.below(5))); break;
      case 6: out.started(in.below(12)); break;
      case 5: out.usage(in.number<std::uint64_t>()); break;
      default: out.result(in.below(12), in.below(3) == 0, in.number<std::uint32_t>(), in.bytes(64)); break;
    }
  }
  frame f = out.take();
  if (in.below(8) == 0 && f.head.size() > 0)
    f.head.data()[in.below(f.head.size())] = static_cast<std::byte>(in.number<std::uint8_t>());
  return f;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  auto link = std::make_unique<untrue_workers>();
  untrue_workers& workers = *link;
  pool_options options;
  options.progress_thread = false;
  const auto p = std::make_shared<pool>(std::move(link), std::vector<rankpool::worker_info>{{1, "here", 1}}, options);
  rankpool::cluster cluster = cluster_access::make(p);
  std::vector<rankpool::future<int>> futures;
  {
    rankpool::executor executor(cluster);
    auto results = executor.map([](int n) { return n; }, std::vector{1, 2, 3});
    while (!in.empty()) {
      try {
        if (in.below(3) == 0) futures.push_back(executor.submit([](int n) { return n + 1; }, 1));
      } catch (const rankpool::error&) {  // the records of the worker may have closed or broken the pool
      }
      workers.arrive(0, made_up_frame(in));
      p->room().poll();
    }
    (void)p->end(1, std::make_exception_ptr(rankpool::pool_closed("the program has ended")), std::chrono::seconds(5));
    for (const auto& f : futures) {
      fuzz::require(f.done());
      try {
        (void)f.exception();
      } catch (const rankpool::cancelled_error&) {
      }
    }
    for (auto item = results.begin(); item != results.end(); ++item) {
      try {
        (void)*item;
      } catch (const std::exception&) {
      }
    }
  }
  return 0;
}

// The worker's loop with a rank 0 that says what the test wants.
#include "core/worker.hpp"
#include "support/catch.hpp"
#include "support/scripted_transport.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace {

using namespace rankpool::detail;

void fail_to_begin(byte_reader&, byte_writer&) { throw std::runtime_error("no begin"); }
void say_done(byte_reader&, byte_writer& out) { out.put('d'); }
void take_long(byte_reader&, byte_writer&) { std::this_thread::sleep_for(2 * worker_pace::for_workers(1).flush_after); }

// Keeps the names of what the worker sends.
class rank_zero final : public support::scripted_transport {
 public:
  std::vector<std::string> said;

 private:
  void on_sent(const record& r) override {
    const auto* result = std::get_if<result_record>(&r);
    said.emplace_back(std::string(name_of(r)) + (result != nullptr && result->threw ? " threw" : ""));
  }
};

void run_all(worker& w) {
  while (w.step()) {
  }
}

std::string refusal_of(frame_writer& out) {
  rank_zero link;
  worker w(link, {1, "here"});
  link.arrive(0, out.take());
  try {
    run_all(w);
  } catch (const message_error& e) {
    return e.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("a message that only rank 0 expects is named by the worker that gets it") {
  frame_writer out;
  out.recalled({1});
  CHECK_THAT(refusal_of(out), support::containing("'recalled'"));
}

TEST_CASE("a task of an executor that is not open is refused with both their numbers") {
  frame_writer out;
  out.task(12, 34, locate_function(&say_done), {}, nullptr);
  const std::string why = refusal_of(out);
  CHECK_THAT(why, support::containing("task 12"));
  CHECK_THAT(why, support::containing("executor 34"));
}

TEST_CASE("tasks of a broken executor are dropped when it is closed, and the others' run") {
  rank_zero link;
  worker w(link, {1, "here"});
  frame_writer out;
  out.open(1, locate_function(&fail_to_begin), {});
  out.open(2, code_address{}, {});
  out.task(1, 1, locate_function(&say_done), {}, nullptr);
  out.task(2, 1, locate_function(&say_done), {}, nullptr);
  out.task(3, 2, locate_function(&say_done), {}, nullptr);
  link.arrive(0, out.take());
  REQUIRE(w.step());  // the first: its initializer fails
  out.close(1);
  link.arrive(0, out.take());
  run_all(w);
  CHECK(link.said == std::vector<std::string>{"open-failed", "result"});
}

TEST_CASE("what a worker has not started it gives back when asked") {
  rank_zero link;
  worker w(link, {1, "here"});
  frame_writer out;
  out.open(2, code_address{}, {});
  out.task(3, 2, locate_function(&say_done), {}, nullptr);
  out.task(4, 2, locate_function(&say_done), {}, nullptr);
  out.recall();
  link.arrive(0, out.take());
  run_all(w);
  CHECK(link.said == std::vector<std::string>{"recalled"});
}

TEST_CASE("a task whose function this process does not have fails alone") {
  rank_zero link;
  worker w(link, {1, "here"});
  frame_writer out;
  out.open(2, code_address{}, {});
  out.task(3, 2, code_address{12345, 678}, {}, nullptr);
  out.task(4, 2, locate_function(&say_done), {}, nullptr);
  link.arrive(0, out.take());
  run_all(w);
  CHECK(link.said == std::vector<std::string>{"result threw", "result"});
}

TEST_CASE("what a worker says on its way is not urgent until it has little left to do") {
  class counting final : public support::scripted_transport {
   public:
    std::vector<bool> urgent;

    void send(int peer, frame f) override {
      urgent.push_back(f.urgent);
      support::scripted_transport::send(peer, std::move(f));
    }

   private:
    void on_sent(const record& r) override {
      if (std::get_if<result_record>(&r) == nullptr || ++results_ != 8) return;
      frame_writer out;
      out.stop(3);
      arrive(0, out.take());
    }

    int results_ = 0;
  } link;
  worker w(link, {1, "here"});
  frame_writer out;
  out.open(2, code_address{}, {});
  for (std::uint64_t id = 1; id <= 8; ++id) out.task(id, 2, locate_function(&take_long), {}, nullptr);
  link.arrive(0, out.take());
  CHECK(w.serve() == 3);
  // On a machine that is busy several results may leave in one message.
  if (link.urgent.size() > 8) CHECK_FALSE(link.urgent.front());
  CHECK(link.urgent.back());
  CHECK(std::ranges::is_sorted(link.urgent));
}

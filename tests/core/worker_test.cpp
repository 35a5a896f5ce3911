// The worker's loop with a simulated rank 0.
#include "worker/worker.hpp"
#include "support/catch.hpp"
#include "support/scripted_transport.hpp"

#include <rankpool/detail/call/chunk_writer.hpp>
#include <rankpool/detail/shared/shared_data.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace rankpool::detail;

void fail_to_begin(byte_reader&, byte_writer&) { throw std::runtime_error("no begin"); }
void say_done(byte_reader&, byte_writer& out) { out.put('d'); }
void take_long(byte_reader&, byte_writer&) { std::this_thread::sleep_for(2 * worker_pace::for_workers(1).flush_after); }

// Records the names of the records that the worker sends.
class rank_zero final : public support::scripted_transport {
 public:
  std::vector<std::string> said;

 private:
  void on_sent(const record& r) override {
    const auto* result = std::get_if<result_record>(&r);
    said.emplace_back(std::string(name_of(r)) + (result != nullptr && result->threw ? " threw" : ""));
  }
};

// Where the worker of a test notes what it runs, and what its tasks have read there.
task_note current_note;
std::vector<std::pair<std::uint64_t, std::uint64_t>> notes_seen;
void read_note(byte_reader&, byte_writer& out) {
  for (const std::uint64_t item : {0, 1}) {
    item_note() = item;
    notes_seen.emplace_back(current_note.task, current_note.item);
  }
  out.put('d');
}

class noting_rank_zero final : public support::scripted_transport {
 public:
  task_note* running_task() override { return &current_note; }
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

TEST_CASE("a worker that gets a record for rank 0 fails with the name of the record") {
  frame_writer out;
  out.recalled({1});
  CHECK_THAT(refusal_of(out), support::containing("'recalled'"));
}

TEST_CASE("a task of an executor that is not open is refused with the numbers of both") {
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
  REQUIRE(w.step());  // the first task: its initializer fails
  out.close(1);
  link.arrive(0, out.take());
  run_all(w);
  CHECK(link.said == std::vector<std::string>{"open-failed", "result"});
}

TEST_CASE("a worker notes which task and item it runs, and afterwards that it runs none") {
  notes_seen.clear();
  noting_rank_zero link;
  worker w(link, {1, "here"});
  frame_writer out;
  out.open(2, code_address{}, {});
  out.task(3, 2, locate_function(&read_note), {}, nullptr);
  out.task(4, 2, locate_function(&read_note), {}, nullptr);
  link.arrive(0, out.take());
  run_all(w);
  CHECK(notes_seen == decltype(notes_seen){{3, 0}, {3, 1}, {4, 0}, {4, 1}});
  CHECK(current_note.task == 0);
}

TEST_CASE("a worker returns the tasks that it has not started when they are recalled") {
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

TEST_CASE("a task whose function is unknown in this process fails alone") {
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

TEST_CASE("a worker without memory for a broadcast takes part in it and gives the reason") {
  class two_nodes final : public support::scripted_transport {
   public:
    std::size_t dropped = 0;
    std::uint64_t id = 0;
    std::string reason;

    void drop_broadcast(std::size_t size) override { dropped = size; }

   private:
    void on_sent(const record& r) override {
      const auto& what = std::get<unavailable_record>(r);
      id = what.id;
      reason.assign(reinterpret_cast<const char*>(what.reason.data()), what.reason.size());
    }
  } link;
  worker w(link, {1, "here"});
  constexpr std::size_t more_than_there_is = std::size_t{1} << 60;
  frame_writer out;
  out.broadcast(6, more_than_there_is);
  link.arrive(0, out.take());
  run_all(w);
  CHECK(link.dropped == more_than_there_is);
  CHECK(link.id == 6);
  CHECK(link.reason == "share: a value of 1152921504606846976 bytes is not available on host 'here': out of memory");
  CHECK_THROWS_WITH(shared_data::find(6), link.reason);
}

TEST_CASE("a worker knows why its node has no memory for a shared value, until the value is released") {
  rank_zero link;
  worker w(link, {1, "here"});
  frame_writer out;
  out.unavailable(6, "no memory");
  link.arrive(0, out.take());
  run_all(w);
  CHECK_THROWS_WITH(shared_data::find(6), "no memory");
  out.unshare(6);
  out.unavailable(6, "another reason");
  link.arrive(0, out.take());
  run_all(w);
  CHECK_THROWS_WITH(shared_data::find(6), "another reason");
}

TEST_CASE("a worker's initializers and tasks are called by its runner") {
  class echo final : public task_runner {
   public:
    explicit echo(std::vector<std::string>& called) : called_(called) {}
    void run(std::span<const call> calls, const answer_handler& on_answer) override {
      for (const call& what : calls) {
        called_.emplace_back(reinterpret_cast<const char*>(what.payload.data()), what.payload.size());
        answer a;
        a.threw = called_.back() == "task that throws";
        on_answer(std::move(a));
      }
    }

   private:
    std::vector<std::string>& called_;
  };
  const auto bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  const std::string initializer(2 * bulk_bytes, 'i');
  const std::string first = "task that throws";
  const std::string second = "task";
  byte_buffer large;
  large.append(initializer.data(), initializer.size());
  std::vector<std::string> called;
  rank_zero link;
  worker w(link, {1, "here"}, worker_pace::for_workers(1), std::make_unique<echo>(called));
  frame_writer out;
  out.open(1, code_address{1, 2}, {}, std::make_shared<held<byte_buffer>>(std::move(large)));
  out.task(1, 1, code_address{1, 3}, bytes(first), nullptr);
  out.task(2, 1, code_address{1, 3}, bytes(second), nullptr);
  link.arrive(0, out.take());
  run_all(w);
  CHECK(called == std::vector<std::string>{initializer, first, second});
  CHECK(link.said == std::vector<std::string>{"result threw", "result"});
}

TEST_CASE("a worker tells rank 0 which task it runs, if that takes long") {
  class waiting_link final : public support::scripted_transport {
   public:
    // Blocks until the worker has reported a running task, at most 30 s.
    void await_started() {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::seconds(30), [&] { return started != 0; });
    }
    std::uint64_t started = 0;

   private:
    void on_sent(const record& r) override {
      if (const auto* s = std::get_if<started_record>(&r)) {
        std::lock_guard lock(mutex_);
        started = s->id;
        changed_.notify_all();
      }
      if (!std::holds_alternative<result_record>(r)) return;
      frame_writer out;
      out.stop(0);
      arrive(0, out.take());
    }
    std::mutex mutex_;
    std::condition_variable changed_;
  } link;
  class until_started final : public task_runner {
   public:
    explicit until_started(waiting_link& link) : link_(link) {}
    void run(std::span<const call>, const answer_handler& on_answer) override {
      link_.await_started();
      on_answer({});
    }

   private:
    waiting_link& link_;
  };
  worker w(link, {1, "here"}, worker_pace::for_workers(1), std::make_unique<until_started>(link));
  frame_writer out;
  out.open(1, code_address{}, {});
  out.task(5, 1, code_address{1, 3}, {}, nullptr);
  link.arrive(0, out.take());
  CHECK(w.serve() == 0);
  CHECK(link.started == 5);
}

TEST_CASE("the messages of a worker are not urgent until few tasks are left") {
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
  // On a busy machine, one message may have several results.
  if (link.urgent.size() > 8) CHECK_FALSE(link.urgent.front());
  CHECK(link.urgent.back());
  CHECK(std::ranges::is_sorted(link.urgent));
}

// Unit tests of the scheduler: events, the effects that it returns, and a simulated clock.
#include "core/simulation.hpp"

#include <algorithm>
#include <random>
#include <vector>

using namespace simulated;
using namespace std::chrono_literals;

TEST_CASE("a task goes to a worker that is free") {
  simulation s(3);
  s.open(1, 3);
  for (int i = 0; i < 3; ++i) s.submit(1, items(1));
  s.dispatch();
  for (int w = 0; w < 3; ++w) CHECK(s.queue(w).size() == 1);
  (*s).state().check();
}

TEST_CASE("tasks of unknown length are not prefetched") {
  simulation s(2);
  s.open(1, 2);
  for (int i = 0; i < 10; ++i) s.submit(1, items(1));
  s.dispatch();
  CHECK(s.queue(0).size() == 1);
  CHECK(s.queue(1).size() == 1);
}

TEST_CASE("short tasks are prefetched, long ones are not") {
  for (const auto& [taken, ahead] :
       {std::pair(std::chrono::nanoseconds(1us), true), std::pair(std::chrono::nanoseconds(1s), false)}) {
    simulation s(1);
    s.open(1, 1);
    for (int i = 0; i < 1000; ++i) s.submit(1, items(1));
    s.dispatch();
    s.finish_one(0, taken);
    s.dispatch();
    CHECK((s.queue(0).size() > 1) == ahead);
  }
}

TEST_CASE("every job is finished once and every item done once") {
  simulation s(4);
  s.open(1, 4);
  std::vector<shared_job<counting_job>> jobs;
  for (int i = 0; i < 500; ++i) jobs.push_back(s.submit(1, items(1)));
  for (int i = 0; i < 5; ++i) jobs.push_back(s.submit(1, items(10'000, i == 0 ? 7 : 0, 1)));
  s.run_all([](int) { return 3us; });
  CHECK(s.finished == jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) CHECK(jobs[i]->done == (i < 500 ? 1 : 10'000));
  CHECK_FALSE((*s).busy());
}

TEST_CASE("a worker ten times slower gets about a tenth of the tasks") {
  simulation s(4);
  s.open(1, 4);
  for (int i = 0; i < 4000; ++i) s.submit(1, items(1));
  const auto chunks = s.run_all([](int w) { return w == 3 ? 1ms : 100us; });
  CHECK(chunks[3] > 4000 / 31 / 2);
  CHECK(chunks[3] < 4000 / 31 * 2);
}

TEST_CASE("a worker that got the long tasks of a kind is not considered slow") {
  worker_speed even;
  for (int round = 0; round < 200; ++round) {
    for (const double length : {1e3, 1e3, 1e3, 1e7}) even.add(2.50075e6, length);  // the expected time is the mean
  }
  CHECK(even.slowness() > 0.5);
  CHECK(even.slowness() < 2);
  worker_speed slow;
  for (int i = 0; i < 200; ++i) slow.add(1e6, 5e6);
  CHECK(slow.slowness() > 4.5);
}

TEST_CASE("the idle worker that was busy last gets the next task") {
  simulation s(3);
  s.open(1, 3);
  for (int i = 0; i < 3; ++i) s.submit(1, items(1));
  s.dispatch();
  for (const int w : {0, 2, 1}) s.finish_one(w, 1ms);
  s.submit(1, items(1));
  s.dispatch();
  CHECK(s.queue(1).size() == 1);
}

TEST_CASE("a worker that returns results gets more prefetched tasks than a new one") {
  simulation s(1);
  s.open(1, 1);
  for (int i = 0; i < 5000; ++i) s.submit(1, items(1));
  s.dispatch();
  s.finish_one(0, 100ns);
  s.dispatch();
  const auto at_first = s.queue(0).size();
  for (int i = 0; i < 500; ++i) {
    s.finish_one(0, 100ns);
    s.dispatch();
  }
  CHECK(at_first <= 70);
  CHECK(s.queue(0).size() > 400);
}

TEST_CASE("higher priority goes first, equal ones in order of submission, across executors") {
  simulation s(1);
  s.open(1, 1);
  s.open(2, 1);
  const auto running = s.submit(1, items(1));
  s.dispatch();
  const auto low = s.submit(1, items(1), 0);
  const auto high = s.submit(2, items(1), 5);
  const auto also_high = s.submit(1, items(1), 5);
  std::vector<const counting_job*> order;
  while (!s.queue(0).empty()) {
    s.finish_one(0, 1s);
    for (const auto& j : {running, low, high, also_high}) {
      if (j->done == 1 && std::find(order.begin(), order.end(), j.get()) == order.end()) order.push_back(j.get());
    }
    s.dispatch();
  }
  CHECK(order == std::vector<const counting_job*>{running.get(), high.get(), also_high.get(), low.get()});
}

TEST_CASE("an executor never uses more than max_workers workers") {
  simulation s(5);
  s.open(1, 2);
  s.open(2, 1);
  for (int i = 0; i < 300; ++i) {
    s.submit(1, items(1, 1, 1));
    s.submit(2, items(1, 1, 2));
  }
  s.run_all([](int) { return 50us; });  // the simulation checks the scheduler's state after each step
  CHECK(s.finished == 600);
}

TEST_CASE("an executor is opened once on each worker it uses") {
  simulation s(3);
  s.open(1, 3);
  for (int i = 0; i < 100; ++i) s.submit(1, items(1));
  s.run_all([](int) { return 10us; });
  CHECK(s.opened == 3);
}

TEST_CASE("an executor is closed on the workers on which it was opened, and on no others") {
  simulation s(3);
  s.open(1, 1);
  s.submit(1, items(1));
  s.run_all([](int) { return 10us; });
  effects out;
  (*s).on_close(1, out);
  REQUIRE(out.close.size() == 1);
  CHECK(out.close[0].to == worker_index{0});
  (*s).on_close(1, out);
  CHECK(out.close.size() == 1);
}

TEST_CASE("items that a job reads later wait behind jobs that were submitted meanwhile") {
  simulation s(1);
  s.open(1, 1);
  s.submit(1, items(1));
  s.dispatch();
  auto growing = items(0);
  growing->growing = true;
  s.submit(1, growing);
  const auto earlier = s.submit(1, items(1));
  growing->grow(1);
  effects out;
  (*s).on_change(*growing, out);
  s.finish_one(0, 1s);
  s.dispatch();
  s.finish_one(0, 1s);
  CHECK(earlier->done == 1);
  CHECK(growing->done == 0);
  s.dispatch();
  s.finish_one(0, 1s);
  CHECK(growing->done == 1);
  CHECK(s.finished == 2);  // the input may still grow
  growing->seal();
  (*s).on_change(*growing, out);
  CHECK(out.jobs_finished.size() == 1);
}

TEST_CASE("jobs that still read their input take turns with jobs of equal priority") {
  simulation s(1);
  s.open(1, 1);
  std::vector<shared_job<counting_job>> endless;
  for (int i = 0; i < 2; ++i) {
    endless.push_back(items(1000));
    endless.back()->growing = true;
    s.submit(1, endless.back());
  }
  const auto single = s.submit(1, items(1));
  for (int i = 0; i < 9; ++i) {
    s.dispatch();
    s.finish_one(0, 100ms);
  }
  CHECK(single->done == 1);
  CHECK(endless[0]->done == 4);
  CHECK(endless[1]->done == 4);
}

TEST_CASE("an executor with max_workers returns to the workers that it has used") {
  simulation s(4);
  s.open(1, 1);
  for (int i = 0; i < 8; ++i) {
    s.submit(1, items(1));
    s.dispatch();
    int at = 0;
    while (s.queue(at).empty()) ++at;
    CHECK(at == 0);
    s.finish_one(at, 1ms);
  }
}

TEST_CASE("an executor with max_workers uses another worker when its own are busy") {
  simulation s(2);
  s.open(1, 1);
  s.open(2, 2);
  s.submit(1, items(1));
  s.dispatch();
  s.finish_one(0, 1ms);
  s.submit(2, items(1));
  s.dispatch();
  const int taken = s.queue(0).empty() ? 1 : 0;
  s.submit(1, items(1, 1, 1));
  s.dispatch();
  CHECK(s.queue(1 - taken).size() == 1);
}

TEST_CASE("chunks of a map fit the measured time and shrink towards the end") {
  simulation s(2);
  s.open(1, 2);
  const auto map = s.submit(1, items(1'000'000, 0));
  s.dispatch();
  s.finish_one(0, 1us);
  s.dispatch();
  s.finish_one(0, 100us);
  const auto before = map->available();
  s.dispatch();
  const auto cut = before - map->available();
  CHECK(cut > 1000);         // short items: a chunk has many
  CHECK(cut <= before / 2);  // but a worker gets at most its share
}

TEST_CASE("chunks that a stuck worker has not started are recalled once another worker is idle") {
  simulation s(2);
  s.open(1, 2);
  for (int i = 0; i < 64; ++i) s.submit(1, items(1));
  s.dispatch();
  s.finish_one(0, 1us);
  s.dispatch();
  REQUIRE(s.queue(0).size() > 1);
  while (!s.queue(1).empty()) {
    s.finish_one(1, 1us);
    s.dispatch();
  }
  CHECK(s.recalled.empty());
  s.now += 20ms;
  s.dispatch();
  REQUIRE(s.recalled == std::vector<int>{0});
  s.recall_all_but_first(0);
  s.dispatch();
  CHECK(s.queue(0).size() == 1);  // the worker gets no further tasks while its task runs
  CHECK_FALSE(s.queue(1).empty());
  while (!s.queue(1).empty()) {
    s.finish_one(1, 1us);
    s.dispatch();
    CHECK(s.queue(0).size() == 1);
  }
  CHECK(s.finished == 63);
  (*s).state().check();
  s.run_all([](int) { return 1us; });
  CHECK(s.finished == 64);
}

TEST_CASE("a chunk that has started is not returned, and those behind it are sent again") {
  simulation s(2);
  s.open(1, 2);
  for (int i = 0; i < 8; ++i) s.submit(1, items(1));
  s.dispatch();
  s.finish_one(0, 1us);
  s.dispatch();
  const auto& chunks = (*s).state().workers[0].chunks;
  REQUIRE(chunks.size() > 1);
  (*s).on_started({0}, chunks.front().id);
  CHECK(chunks.front().state == chunk_state::started);
  s.recall_all_but_first(0);
  CHECK(chunks.size() == 1);
  CHECK(chunks.front().attempts == 1);
  const auto& requeued = (*s).state().executors[0]->requeued;
  REQUIRE_FALSE(requeued.empty());
  CHECK(requeued.front().state == chunk_state::queued);
  s.run_all([](int) { return 1us; });
  CHECK(s.finished == 8);
}

TEST_CASE("a worker cannot return a chunk that it has reported as started, and the chunk is not lost") {
  simulation s(1);
  s.open(1, 1);
  s.submit(1, items(1));
  s.dispatch();
  const chunk_id id = s.queue(0).front().id;
  (*s).on_started({0}, id);
  effects out;
  CHECK_THROWS_WITH((*s).on_recalled({0}, {id}, out), support::containing("started cannot become queued"));
  (*s).state().check();
  (*s).on_end(std::make_exception_ptr(rankpool::broken_pool()), out);
  s.take(out);
  CHECK(s.finished == 1);
}

TEST_CASE("chunks that are returned without a request are not taken for the answer to a later one") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(1));  // shows that these tasks are short, so that several are prefetched
  s.run_all([](int) { return 1us; });
  for (int i = 0; i < 4; ++i) s.submit(1, items(1));
  s.dispatch();
  REQUIRE(s.queue(0).size() == 2);
  while (!s.queue(1).empty()) s.finish_one(1, 1s);  // worker 0 is stuck now
  s.dispatch();
  REQUIRE(s.recalled == std::vector<int>{0});
  effects out;
  (*s).on_recalled({0}, {}, out, false);  // the answer to an abort, which was sent before
  s.recall_all_but_first(0);
  (*s).state().check();
  s.run_all([](int) { return 1us; });
  CHECK(s.finished == 5);
}

TEST_CASE("chunks that a worker has returned are cancelled with the rest of their executor") {
  simulation s(2);
  s.open(1, 2);
  const bool shut_down_first = GENERATE(true, false);
  CAPTURE(shut_down_first);
  for (int i = 0; i < 8; ++i) s.submit(1, items(1));
  s.dispatch();
  s.finish_one(0, 1us);
  s.dispatch();
  REQUIRE(s.queue(0).size() > 1);
  std::vector<chunk_id> unstarted;
  while (s.queue(0).size() > 1) {
    unstarted.insert(unstarted.begin(), s.queue(0).back().id);
    s.queue(0).pop_back();
  }
  const auto in_flight = s.queue(0).size() + s.queue(1).size();
  effects out;
  if (shut_down_first) (*s).on_shutdown(1, true, out);
  (*s).on_recalled({0}, unstarted, out);
  if (!shut_down_first) (*s).on_shutdown(1, true, out);
  s.take(out);
  s.dispatch();
  CHECK(s.queue(0).size() + s.queue(1).size() == in_flight);
  s.run_all([](int) { return 1us; });
  CHECK(s.finished == 8);
  (*s).state().check();
}

TEST_CASE("cancelled jobs leave the queue and are finished") {
  simulation s(1);
  s.open(1, 1);
  s.submit(1, items(1));
  s.dispatch();
  std::vector<shared_job<counting_job>> queued;
  for (int i = 0; i < 100; ++i) queued.push_back(s.submit(1, items(1)));
  effects out;
  (*s).on_shutdown(1, true, out);
  s.take(out);
  CHECK(s.finished == 100);
  s.finish_one(0, 1s);
  s.dispatch();
  CHECK(s.finished == 101);
  CHECK(s.queue(0).empty());
  (*s).state().check();
}

TEST_CASE("a broken executor's jobs fail and the others' do not") {
  simulation s(2);
  s.open(1, 1);
  s.open(2, 2);
  for (int i = 0; i < 10; ++i) s.submit(1, items(1, 1, 1));
  const auto other = s.submit(2, items(1, 1, 2));
  s.dispatch();
  effects out;
  (*s).on_broken(1, {0}, std::make_exception_ptr(rankpool::broken_pool()), out);
  s.queue(0).clear();
  s.take(out);
  (*s).state().check();
  CHECK(s.finished == 10);
  CHECK(other->done == 0);
  s.run_all([](int) { return 1us; });
  CHECK(other->done == 1);
}

TEST_CASE("a result that no job waits for any more is recognised") {
  simulation s(1);
  s.open(1, 1);
  effects out;
  CHECK_FALSE((*s).on_result({0}, 12345, 1us, 8, s.now, out));
}

TEST_CASE("the scheduler's state is consistent through random events") {
  std::mt19937 random(7);
  simulation s(6);
  s.open(1, 6);
  s.open(2, 2);
  std::size_t submitted = 0;
  for (int i = 0; i < 200'000; ++i) {
    switch (random() % 4) {
      case 0:
        s.submit(1 + random() % 2, items(1, 1, random() % 3), static_cast<int>(random() % 3));
        ++submitted;
        break;
      case 1:
        s.dispatch();
        if (i % 40'000 == 1) s.lose(static_cast<int>(random() % 6));
        break;
      default:
        if (const int w = static_cast<int>(random() % 6); !s.queue(w).empty()) {
          s.finish_one(w, std::chrono::nanoseconds(random() % 1'000'000));
        }
    }
    if (i % 1000 == 0) (*s).state().check();
  }
  s.run_all([](int) { return 1us; });
  CHECK(s.finished == submitted);
  CHECK(s.failed == 0);
}

TEST_CASE("the chunks of a lost worker run on the others, and every item is done once") {
  simulation s(4);
  s.open(1, 4);
  std::vector<shared_job<counting_job>> jobs;
  for (int i = 0; i < 300; ++i) jobs.push_back(s.submit(1, items(1, 1, 1)));
  jobs.push_back(s.submit(1, items(10'000, 0, 2)));
  s.dispatch();
  for (int w = 0; w < 4; ++w) s.finish_one(w, 1us);
  s.dispatch();
  REQUIRE(s.queue(1).size() > 1);
  s.lose(1);
  s.lose(2);
  CHECK((*s).usable_workers() == 2);
  const auto chunks = s.run_all([](int) { return 3us; });
  CHECK(chunks[1] + chunks[2] == 0);
  CHECK(s.finished == jobs.size());
  CHECK(s.failed == 0);
  for (const auto& job : jobs) CHECK(job->done == (job == jobs.back() ? 10'000 : 1));
}

TEST_CASE("of the chunks of a lost worker, only the one that had started counts the loss") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(1));  // shows that these tasks are short, so that several are prefetched
  s.run_all([](int) { return 1us; });
  for (int i = 0; i < 9; ++i) s.submit(1, items(1));
  s.dispatch();
  REQUIRE(s.queue(0).size() > 1);
  const std::size_t sent = s.queue(0).size();
  (*s).on_started({0}, s.queue(0).front().id);
  s.lose(0);
  const auto& requeued = (*s).state().executors.front()->requeued;
  REQUIRE(requeued.size() == sent);
  for (const tracked_chunk& c : requeued) CHECK(c.losses == (&c == &requeued.back() ? 1 : 0));
}

TEST_CASE("a chunk that may have ended a worker runs on a worker that has nothing else") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(1));
  s.run_all([](int) { return 1us; });
  for (int i = 0; i < 4; ++i) s.submit(1, items(1));
  s.dispatch();
  REQUIRE(s.queue(0).size() == 2);
  s.lose(0);  // none was reported as started
  while (!s.queue(1).empty()) s.finish_one(1, 1us);
  for (int i = 0; i < 2; ++i) {
    s.dispatch();
    CHECK(s.queue(1).size() == 1);
    s.finish_one(1, 1us);
  }
  CHECK(s.finished == 5);
}

TEST_CASE("a chunk that ends every worker that runs it fails at the crash limit, and the others are done") {
  simulation s(6);
  s.open(1, 6);
  s.submit(1, items(1));
  s.run_all([](int) { return 1us; });
  std::vector<shared_job<counting_job>> jobs;
  for (int i = 0; i < 60; ++i) jobs.push_back(s.submit(1, items(1)));
  counting_job* const fatal = jobs[20].get();
  const auto holder = [&] {  // the worker that has it, at the front of its queue
    for (int w = 0; w < 6; ++w) {
      if (s.queue(w).empty()) continue;
      const auto chunk = (*s).chunk_at({w}, s.queue(w).front().id);
      if (chunk && &chunk->work == fatal) return w;
    }
    return -1;
  };
  int lost = 0;
  for (int step = 0; step < 1000 && s.finished < 61; ++step) {
    s.dispatch();
    if (const int w = holder(); w >= 0) {
      s.lose(w);
      ++lost;
      continue;
    }
    for (int w = 0; w < 6; ++w) {
      if (!s.queue(w).empty() && holder() != w) s.finish_one(w, 1us);
    }
  }
  CHECK(lost == 3);
  CHECK(s.failed == 1);
  CHECK(s.last_error == s.lost);
  CHECK(s.finished == 61);
}

TEST_CASE("an item that ends every worker that runs it fails alone, and the other items of its chunk are done") {
  simulation s(4);
  s.open(1, 4);
  const auto work = s.submit(1, items(1000, 100, 1));
  constexpr std::uint64_t fatal = 342;
  int lost = 0;
  for (int step = 0; step < 1000 && s.finished < 1; ++step) {
    s.dispatch();
    for (int w = 0; w < 4; ++w) {
      if (s.queue(w).empty()) continue;
      const chunk_id id = s.queue(w).front().id;
      const auto chunk = (*s).chunk_at({w}, id);
      REQUIRE(chunk);
      if (chunk->first <= fatal && fatal < chunk->first + chunk->count) {
        if (lost > 0) CHECK(chunk->count == 1);
        s.lose(w, running_item{id, fatal - chunk->first});
        ++lost;
      } else {
        s.finish_one(w, 1us);
      }
    }
  }
  CHECK(lost == 3);
  CHECK(s.finished == 1);
  CHECK(s.failed == 1);
  CHECK(work->done == 1000);
}

TEST_CASE("no chunk of a worker that was lost between two tasks counts the loss") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(1));
  s.run_all([](int) { return 1us; });
  for (int i = 0; i < 9; ++i) s.submit(1, items(1));
  s.dispatch();
  s.lose(0, running_item{});
  const auto& requeued = (*s).state().executors.front()->requeued;
  CHECK_FALSE(requeued.empty());
  for (const tracked_chunk& c : requeued) CHECK(c.losses == 0);
}

TEST_CASE("a chunk whose running item is not known is divided until the item is found") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(100, 100, 1));
  s.dispatch();
  const int w = s.queue(0).empty() ? 1 : 0;
  s.lose(w, running_item{s.queue(w).front().id, ~std::uint64_t{0}});
  const auto& requeued = (*s).state().executors.front()->requeued;
  REQUIRE(requeued.size() == 16);
  std::uint64_t items_in_parts = 0;
  for (const tracked_chunk& c : requeued) {
    CHECK(c.losses == 0);
    CHECK(c.alone);
    items_in_parts += c.part.count;
  }
  CHECK(items_in_parts == 100);
  // Of the part that ends the next worker, each item is a chunk, and counts a loss when it ends another one.
  simulation t(4);
  t.open(1, 4);
  t.submit(1, items(5, 5, 1));
  t.dispatch();
  const auto lose_the_first_chunk = [&t] {
    int first = -1;
    for (int i = 0; i < 4; ++i) {
      if (!t.queue(i).empty() && (first < 0 || t.queue(i).front().id < t.queue(first).front().id)) first = i;
    }
    t.lose(first);
  };
  lose_the_first_chunk();
  CHECK((*t).state().executors.front()->requeued.size() == 5);
  t.dispatch();
  lose_the_first_chunk();
  const auto& again = (*t).state().executors.front()->requeued;
  CHECK(std::ranges::count_if(again, [](const tracked_chunk& c) { return c.losses == 1 && c.part.count == 1; }) == 1);
}

TEST_CASE("the chunks of a cancelled map are dropped with their worker") {
  simulation s(2);
  s.open(1, 2);
  const auto work = s.submit(1, items(100, 10, 1));
  s.dispatch();
  (void)work->abandon(nullptr);
  s.lose(0, running_item{s.queue(0).front().id, 5});
  CHECK((*s).state().executors.front()->requeued.empty());
  s.run_all([](int) { return 1us; });
  CHECK(work->done == 20);  // of these, 10 by the other worker, and 10 cancelled
}

TEST_CASE("of the chunks of a lost worker, only the item that was running counts the loss") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(100, 10, 1));
  s.run_all([](int) { return 1us; });  // shows that these tasks are short, so that several are prefetched
  s.submit(1, items(100, 10, 1));
  s.dispatch();
  REQUIRE(s.queue(0).size() > 1);
  (*s).on_started({0}, s.queue(0)[0].id);  // it has ended since
  const std::size_t sent = s.queue(0).size();
  s.lose(0, running_item{s.queue(0)[1].id, 9});
  const auto& requeued = (*s).state().executors.front()->requeued;
  REQUIRE(requeued.size() == sent + 1);
  for (const tracked_chunk& c : requeued) {
    const bool was_running = &c == &requeued.back();
    CHECK(c.losses == (was_running ? 1 : 0));
    CHECK(c.alone == was_running);
  }
  CHECK(requeued.back().part.count == 1);
  s.run_all([](int) { return 1us; });
  CHECK(s.finished == 2);
}

TEST_CASE("a pinned chunk fails with its worker") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(1));
  s.dispatch();  // worker 0 is busy, so its pinned job waits
  const auto jobs = s.submit_everywhere(1, 2);
  s.dispatch();
  s.lose(0);
  s.lose(1);
  CHECK(s.finished == 3);
  CHECK((*s).state().stopped != nullptr);
}

TEST_CASE("with no worker left, everything fails with broken_pool, also what comes later") {
  simulation s(2);
  s.open(1, 2);
  for (int i = 0; i < 5; ++i) s.submit(1, items(1));
  s.submit(1, items(100, 0, 1));
  s.dispatch();
  s.lose(0);
  s.lose(1);
  CHECK(s.finished == 6);
  CHECK_THROWS_WITH(std::rethrow_exception((*s).stop_reason()), "no worker is left: the worker is lost");
  s.submit(1, items(1));
  CHECK(s.finished == 7);
  s.dispatch();
}

TEST_CASE("an executor with max_workers uses another worker in place of a lost one") {
  simulation s(3);
  s.open(1, 1);
  s.submit_everywhere(1, 1);  // from now on it keeps to its worker
  s.run_all([](int) { return 1us; });
  s.submit(1, items(1));
  s.dispatch();
  int used = 0;
  while (s.queue(used).empty()) ++used;
  s.lose(used);
  const auto chunks = s.run_all([](int) { return 1us; });
  CHECK(chunks[static_cast<std::size_t>(used)] == 0);
  CHECK(s.finished == 2);
}

TEST_CASE("the results of a lost worker are ignored") {
  simulation s(2);
  s.open(1, 2);
  s.submit(1, items(1));
  s.dispatch();
  const int w = s.queue(0).empty() ? 1 : 0;
  const chunk_id id = s.queue(w).front().id;
  s.lose(w);
  effects out;
  CHECK_FALSE((*s).on_result({w}, id, 1us, 8, s.now, out));
  s.run_all([](int) { return 1us; });
  CHECK(s.finished == 1);
}

TEST_CASE("recalled chunks of a broken executor fail, and are not sent again") {
  simulation s(2);
  s.open(1, 2);
  s.open(2, 2);
  s.submit(2, items(1, 1, 1));  // shows that these tasks are short, so that several are prefetched
  s.run_all([](int) { return 1us; });
  std::vector<shared_job<counting_job>> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(s.submit(1, items(1, 1, 1)));
  s.dispatch();
  REQUIRE(s.queue(1).size() == 2);
  effects out;
  (*s).on_broken(1, {0}, std::make_exception_ptr(rankpool::broken_pool()), out);
  (*s).on_recalled({1}, {s.queue(1).back().id}, out);
  s.queue(0).clear();
  s.take(out);
  s.dispatch();
  (*s).state().check();
  CHECK(s.queue(0).empty());
  CHECK(s.finished == 1 + 3);  // all except the one that the other worker still has
}

TEST_CASE("a job that reaches a broken executor fails at once") {
  simulation s(1);
  s.open(1, 1);
  effects out;
  (*s).on_broken(1, {0}, std::make_exception_ptr(rankpool::broken_pool()), out);
  s.submit(1, items(1));
  s.dispatch();
  CHECK(s.finished == 1);
  CHECK(s.queue(0).empty());
}

namespace {

std::vector<std::uint64_t> done(const std::vector<shared_job<counting_job>>& jobs) {
  std::vector<std::uint64_t> counts;
  for (const auto& job : jobs) counts.push_back(job->done);
  return counts;
}

}  // namespace

TEST_CASE("a pinned job runs once on each worker") {
  simulation s(3);
  s.open(1, 3);
  const auto jobs = s.submit_everywhere(1, 3);
  s.dispatch();
  (*s).state().check();
  for (int w = 0; w < 3; ++w) {
    REQUIRE(s.queue(w).size() == 1);
    s.finish_one(w, 1us);
    CHECK(jobs[static_cast<std::size_t>(w)]->done == 1);
  }
  CHECK(s.finished == 3);
  CHECK_FALSE((*s).busy());
}

TEST_CASE("a pinned job is the next job of its worker, however many others are queued") {
  simulation s(2);
  s.open(1, 2);
  for (int i = 0; i < 5000; ++i) s.submit(1, items(1, 1, 1), 5);
  s.dispatch();
  s.finish_one(0, 1us);
  s.dispatch();
  REQUIRE(s.queue(0).size() > 1);
  const auto before = s.queue(0).size();
  const auto jobs = s.submit_everywhere(1, 2);
  for (std::size_t i = 0; i < before; ++i) {
    s.dispatch();
    CHECK(s.queue(0).size() == before - i);  // the worker gets no further chunks
    s.finish_one(0, 1us);
  }
  s.dispatch();
  s.finish_one(0, 1us);
  CHECK(done(jobs) == std::vector<std::uint64_t>{1, 0});
  s.dispatch();
  CHECK(s.queue(0).size() > 1);
  s.run_all([](int) { return 1us; });
  CHECK(done(jobs) == std::vector<std::uint64_t>{1, 1});
  CHECK(s.finished == 5002);
}

TEST_CASE("a recalled pinned job is sent to the same worker again") {
  simulation s(2);
  s.open(1, 2);
  const auto jobs = s.submit_everywhere(1, 2);
  s.dispatch();
  s.recall_all(1);
  (*s).state().check();
  s.dispatch();
  REQUIRE(s.queue(1).size() == 1);
  s.finish_one(1, 1us);
  CHECK(done(jobs) == std::vector<std::uint64_t>{0, 1});
}

TEST_CASE("an executor with max_workers uses only the workers on which its pinned jobs ran") {
  simulation s(4);
  s.open(1, 2);
  s.open(2, 4);
  s.submit(2, items(1));  // occupies worker 0
  s.submit(1, items(1));  // the executor uses worker 1
  s.dispatch();
  s.finish_one(1, 1us);
  const auto jobs = s.submit_everywhere(1, 2);
  s.dispatch();
  CHECK(s.queue(1).size() == 1);  // the executor has used worker 1
  CHECK(s.queue(2).size() == 1);  // worker 2 is idle
  s.finish_one(1, 1us);
  s.finish_one(2, 1us);
  CHECK(done(jobs) == std::vector<std::uint64_t>{1, 1});
  for (int i = 0; i < 100; ++i) s.submit(1, items(1, 1, 7));
  const auto chunks = s.run_all([](int) { return 20ms; });
  CHECK(chunks[1] + chunks[2] == 100);
  CHECK(chunks[3] == 0);
  const auto again = s.submit_everywhere(1, 2);
  s.dispatch();
  CHECK(s.queue(1).size() == 1);
  CHECK(s.queue(2).size() == 1);
}

TEST_CASE("pinned jobs that have not been sent end with their executor") {
  simulation s(2);
  s.open(1, 2);
  s.open(2, 2);
  for (int i = 0; i < 2; ++i) s.submit(2, items(1));
  s.dispatch();
  SECTION("when it is shut down and cancelled") {
    s.submit_everywhere(1, 2);
    s.shut_down(1, true);
    CHECK(s.finished == 2);
  }
  SECTION("but not when it is shut down alone") {
    const auto jobs = s.submit_everywhere(1, 2);
    s.shut_down(1, false);
    s.run_all([](int) { return 1us; });
    CHECK(done(jobs) == std::vector<std::uint64_t>{1, 1});
  }
  SECTION("when it breaks") {
    s.submit_everywhere(1, 2);
    effects out;
    (*s).on_broken(1, {0}, std::make_exception_ptr(rankpool::broken_pool()), out);
    s.take(out);
    CHECK(s.finished == 2);
    s.submit_everywhere(1, 2);
    CHECK(s.finished == 4);
  }
  SECTION("when nothing more is started") {
    s.submit_everywhere(1, 2);
    effects out;
    (*s).on_stop(std::make_exception_ptr(rankpool::stopped_error()), out);
    s.take(out);
    CHECK(s.finished == 2);
  }
  (*s).state().check();
  s.dispatch();
  for (int w = 0; w < 2; ++w) {
    while (!s.queue(w).empty()) s.finish_one(w, 1us);
  }
  CHECK_FALSE((*s).busy());
}

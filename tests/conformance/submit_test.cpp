// submit: which callables and arguments it accepts, and where the task runs.
#include "support/box.hpp"
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <boost/serialization/access.hpp>

#include <unistd.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace support;

namespace {

double half(double x) { return x / 2; }

std::string greeting(const std::string& name) { return "hello " + name; }

std::size_t total_length(const std::vector<std::string>& words) {
  std::size_t total = 0;
  for (const auto& word : words) total += word.size();
  return total;
}

std::unique_ptr<box> doubled(std::unique_ptr<box> value) {
  value->value *= 2;
  return value;
}

struct negation {
  int operator()(int n) const { return -n; }
};

/// Has private state, to which only Boost.Serialization has access.
class line {
 public:
  line() = default;
  line(int slope, int offset) : slope_(slope), offset_(offset) {}
  int operator()(int x) const { return slope_ * x + offset_; }

 private:
  friend class boost::serialization::access;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & slope_ & offset_;
  }
  int slope_ = 0;
  int offset_ = 0;
};

/// Changes its own state when it is called. Each task works on its own copy.
struct counter {
  int count = 0;
  int operator()() { return ++count; }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & count;
  }
};

int sum_noexcept(const int a, const int b) noexcept { return a + b; }

const std::string& motto() {
  static const std::string text = "festina lente";
  return text;
}

template <class T>
T larger(T a, T b) {
  return a < b ? b : a;
}

/// Leaves a mark named after its worker, waits for the gate, and returns the id of its process.
int mark_rank_and_pass(const std::string& marks, const std::string& gate_path) {
  leave_mark(marks + "/" + std::to_string(rank_of_worker()));
  pass(gate_path, 0);
  return getpid();
}

}  // namespace

TEST_CASE("submit returns the value of a plain function", "[submit/value]") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(square, 7).result() == 49);
  CHECK(pool.submit(&add, 2, 3).result() == 5);
  CHECK(pool.submit(larger<std::string>, "a", "b").result() == "b");
}

TEST_CASE("functions may be noexcept and may return a reference, whose value is sent") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(sum_noexcept, 2, 3).result() == 5);
  CHECK(pool.submit([](int n) noexcept { return n; }, 4).result() == 4);
  const rankpool::future<std::string> text = pool.submit(motto);
  CHECK(text.result() == "festina lente");
}

TEST_CASE("submit returns the value of a lambda without captures", "[submit/value]") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit([](int a, int b) { return a * b; }, 6, 7).result() == 42);
  CHECK(pool.submit([] { return std::string("no arguments"); }).result() == "no arguments");
  CHECK(pool.submit([](auto a, auto b) { return a + b; }, 1, 0.5).result() == 1.5);
}

TEST_CASE("submit returns the value of an empty function object", "[submit/value]") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(negation{}, 7).result() == -7);
  CHECK(pool.submit(std::plus<>{}, 3, 4).result() == 7);
}

TEST_CASE("submit sends a function object with its private state", "[submit/value]") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(line(3, 4), 10).result() == 34);
  const line named(2, 1);
  CHECK(pool.submit(named, 10).result() == 21);
}

TEST_CASE("a function object that changes itself changes only the copy of its task") {
  rankpool::executor pool(cluster());
  counter local;
  CHECK(pool.submit(local).result() == 1);
  CHECK(pool.submit(local).result() == 1);
  CHECK(local.count == 0);
}

TEST_CASE("submit takes a partial application", "[submit/value]") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(rankpool::partial(add, 40), 2).result() == 42);
  CHECK(pool.submit(rankpool::partial(add, 40, 3)).result() == 43);
  CHECK(pool.submit(rankpool::partial(rankpool::partial(add, 1), 2)).result() == 3);
  CHECK(pool.submit(rankpool::partial(line(3, 4), 2)).result() == 10);
}

TEST_CASE("a string literal in a partial application travels as a string") {
  rankpool::executor pool(cluster());
  const auto labelled = [](const std::string& label, int n) { return label + std::to_string(n); };
  CHECK(pool.submit(rankpool::partial(labelled, "n="), 5).result() == "n=5");
}

TEST_CASE("a partial application can be called where it was made") {
  CHECK(rankpool::partial(add, 40)(2) == 42);
  CHECK(rankpool::partial(line(3, 4))(10) == 34);
}

TEST_CASE("arguments convert to the parameters of the function") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(half, 3).result() == 1.5);
  CHECK(pool.submit(greeting, "world").result() == "hello world");
  CHECK(pool.submit(total_length, std::vector<std::string>{"ab", "", "cde"}).result() == 5);
}

TEST_CASE("arguments are copied or moved at the call: what happens to them later does not matter") {
  rankpool::executor pool(cluster());
  std::vector<std::string> words{"one", "two"};
  auto length = pool.submit(total_length, words);
  words.assign(100, "more");
  CHECK(length.result() == 6);
}

TEST_CASE("arguments and results may be move-only") {
  rankpool::executor pool(cluster());
  std::unique_ptr<box> answer = pool.submit(doubled, std::make_unique<box>(box{21})).result();
  REQUIRE(answer != nullptr);
  CHECK(answer->value == 42);
}

TEST_CASE("a task may return nothing") {
  rankpool::executor pool(cluster());
  const scratch_directory scratch;
  auto done = pool.submit([](const std::string& path) { leave_mark(path); }, scratch.file("mark"));
  done.result();
  CHECK(scratch.files() == 1);
  CHECK(done.exception() == nullptr);
  pool.submit(nothing).result();
}

TEST_CASE("tasks run on the workers of the cluster, with the ranks and hosts that the cluster lists") {
  std::set<int> ranks;
  for (const auto& worker : cluster().workers()) {
    CHECK_FALSE(worker.host.empty());
    CHECK(worker.pid > 0);
    ranks.insert(worker.rank);
  }
  REQUIRE(static_cast<int>(ranks.size()) == cluster().num_workers());

  rankpool::executor pool(cluster());
  for (int i = 0; i < 3 * workers(); ++i) CHECK(ranks.count(pool.submit(rank_of_worker).result()) == 1);
  const std::string host = pool.submit([] { return std::string(rankpool::this_worker::host()); }).result();
  CHECK(host == cluster().workers().front().host);
}

TEST_CASE("this_worker has rank -1 and no host outside of tasks") {
  CHECK(rankpool::this_worker::rank() == -1);
  CHECK(std::string(rankpool::this_worker::host()).empty());
}

TEST_CASE("every worker of the cluster is used", "[ranks]") {
  rankpool::executor pool(cluster());
  gate all_are_here;
  const scratch_directory scratch;
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < workers(); ++i) {
    tasks.push_back(pool.submit(mark_and_pass, scratch.file(std::to_string(i)), all_are_here.path(), i));
  }
  CHECK(eventually([&] { return scratch.files() == workers(); }));
  all_are_here.open();
  check_computes(pool);
}

TEST_CASE("fifteen tasks for each worker run on all workers, and in no other process", "[submit/saturation]") {
  rankpool::executor pool(cluster());
  gate all_are_busy;
  const scratch_directory busy;
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 15 * workers(); ++i) {
    tasks.push_back(pool.submit(mark_rank_and_pass, busy.path().string(), all_are_busy.path()));
  }
  if (!is_inline()) REQUIRE(eventually([&] { return busy.files() == workers(); }));
  all_are_busy.open();
  std::set<int> used;
  for (auto& task : tasks) used.insert(task.result());
  std::set<int> all;
  for (const auto& worker : cluster().workers()) all.insert(worker.pid);
  CHECK(used == all);
}

TEST_CASE("a global variable that a task sets is set only on its worker", "[ranks][processes]") {
  static int visits = 0;
  rankpool::executor pool(cluster());
  CHECK(pool.submit([] { return ++visits; }).result() >= 1);
  CHECK(visits == 0);
}

TEST_CASE("submit may be called from any thread of rank 0", "[submit/threads]") {
  rankpool::executor pool(cluster());
  constexpr int count = 50;
  std::vector<int> sums(4);
  {
    std::vector<std::jthread> threads;
    for (int& sum : sums) {
      threads.emplace_back([&] {
        for (int n = 0; n < count; ++n) sum += pool.submit(add, n, 1).result();
      });
    }
  }
  CHECK(sums == std::vector<int>(4, count * (count + 1) / 2));
}

TEST_CASE("tens of thousands of tasks may be pending") {
  rankpool::executor pool(cluster());
  constexpr int count = 30'000;
  std::vector<rankpool::future<int>> tasks;
  tasks.reserve(count);
  for (int n = 0; n < count; ++n) tasks.push_back(pool.submit(identity, n));
  bool right = true;
  for (int n = 0; n < count; ++n) right = right && tasks[static_cast<std::size_t>(n)].result() == n;
  CHECK(right);
}

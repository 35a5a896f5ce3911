// Journals: a run does not repeat the finished work of an earlier run. A copy of the journal simulates a second run, because calls
// on one journal file are numbered for the lifetime of the process.
#include <rankpool/journal.hpp>

#include "support/captured_stderr.hpp"
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

using namespace support;
namespace fs = std::filesystem;

namespace {

/// Leaves a mark, which shows that the task has run.
int marked_square(const std::string& marks, int n) {
  leave_mark(marks + "/" + std::to_string(n));
  return n * n;
}

int marked_square_unless_fifth(const std::string& marks, int n) {
  leave_mark(marks + "/" + std::to_string(n));
  return square_unless_fifth(n);
}

/// Throws in the first call for each multiple of 3.
int marked_square_at_last(const std::string& marks, int n) {
  const bool is_first = leave_mark(marks + "/" + std::to_string(n));
  if (n % 3 == 0 && is_first) throw std::runtime_error("first call");
  return n * n;
}

double marked_product(const std::string& marks, const rankpool::shared<std::vector<double>>& by, int n) {
  leave_mark(marks + "/" + std::to_string(n));
  return (*by)[0] * n;
}

std::vector<double> large(int n) { return std::vector<double>(100'000, n); }

std::string text(int n) { return std::string(static_cast<std::size_t>(n) * 1000, 'x'); }

/// Journals of runs, and the marks that their tasks leave.
class journalled_runs {
 public:
  std::string file(const std::string& name) const { return here_.file(name); }
  const std::string& marks() const { return marks_; }
  /// Returns a copy of the journal for the next run, after the previous run has closed it.
  std::string copy_of(const std::string& journal) {
    REQUIRE(eventually([&] {
      rankpool::executor(cluster()).submit(nothing).result();  // inline, this also runs the pending tasks
      return !fs::exists(journal + "-wal");
    }));
    const std::string copy = here_.file(std::to_string(++copies_) + ".journal");
    fs::copy_file(journal, copy);
    return copy;
  }
  /// Returns the number of tasks that have run since the last call.
  int ran() {
    const auto number = static_cast<int>(std::distance(fs::directory_iterator(marks_), {}));
    fs::remove_all(marks_);
    fs::create_directories(marks_);
    return number;
  }

 private:
  scratch_directory here_;
  std::string marks_ = [this] {
    fs::create_directories(here_.file("marks"));
    return here_.file("marks");
  }();
  int copies_ = 0;
};

void damage(const std::string& file) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  std::string all(std::istreambuf_iterator<char>(bytes), {});
  const auto at = all.rfind("xxxxxxxxxx");
  REQUIRE(at != std::string::npos);
  bytes.clear();
  bytes.seekp(static_cast<std::streamoff>(at));
  bytes.put('y');
}

std::string contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("the results of items that ran again are in the journal, each as a chunk of its own", "[journal/retries]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const auto task = rankpool::partial(marked_square_at_last, runs.marks());
  const auto run = [&](const std::string& journal) {
    const auto always = [](const std::exception_ptr&) { return true; };
    return collect(pool.map({.chunksize = 2, .journal = journal, .retries = 1, .retry_if = always}, task, numbers(12)));
  };
  CHECK(run(runs.file("first")) == squares(12));
  CHECK(runs.ran() == 12);
  CHECK(run(runs.copy_of(runs.file("first"))) == squares(12));
  CHECK(runs.ran() == 4);  // of four chunks, the item that had not failed
}

TEST_CASE("tasks with equal arguments that ran again keep their own places in the journal", "[journal/retries]") {
  journalled_runs runs;
  const auto run = [&](const std::string& journal) {
    rankpool::executor pool(cluster(), {.journal = journal});
    const auto always = [](const std::exception_ptr&) { return true; };
    for (int i = 0; i < 2; ++i) {
      const auto task = pool.submit({.retries = 1, .retry_if = always}, marked_square_at_last, runs.marks(), 3);
      CHECK(task.result() == 9);
    }
  };
  run(runs.file("first"));
  CHECK(runs.ran() == 1);  // both leave the same mark, and only the first has failed
  run(runs.copy_of(runs.file("first")));
  CHECK(runs.ran() == 0);
}

TEST_CASE("a second run restores every result from the journal and computes none", "[journal/resume]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const auto task = rankpool::partial(marked_square, runs.marks());
  CHECK(collect(pool.map({.journal = runs.file("first")}, task, numbers(200))) == squares(200));
  CHECK(runs.ran() == 200);
  CHECK(collect(pool.map({.journal = runs.copy_of(runs.file("first"))}, task, numbers(200))) == squares(200));
  CHECK(runs.ran() == 0);
}

TEST_CASE("a run that ended early is resumed, whatever its chunks were", "[journal/resume]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const auto task = rankpool::partial(marked_square, runs.marks());
  for (const int chunksize : {0, 1, 7}) {
    CAPTURE(chunksize);
    const std::string file = runs.file("left" + std::to_string(chunksize));
    {
      auto results = pool.map({.chunksize = chunksize, .buffersize = 40, .journal = file}, task, std::views::iota(0, 1000));
      auto at = results.begin();
      for (int n = 0; n < 100; ++n, ++at) CHECK(*at == n * n);
    }
    const std::string copy = runs.copy_of(file);
    const int before = runs.ran();
    CHECK(before >= 100);
    for (const int buffersize : {0, 3}) {  // below the number of finished items, so that some are computed again
      const std::string another = runs.copy_of(copy);
      CHECK(collect(pool.map({.chunksize = 3, .buffersize = buffersize, .journal = another}, task, std::views::iota(0, 1000))) ==
            squares(1000));
      const int after = runs.ran();
      CHECK(after + before >= 1000);
      if (buffersize == 0 || chunksize == 1) CHECK(after + before == 1000);
    }
  }
}

TEST_CASE("unordered maps and reductions are resumed", "[journal/resume]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const auto task = rankpool::partial(marked_square, runs.marks());
  const long long sum = 332'833'500;
  const auto reduced = [&](const std::string& file) {
    return pool.transform_reduce({.chunksize = 9, .journal = file}, std::views::iota(0, 1000), 0LL, std::plus<long long>(), task);
  };
  CHECK(reduced(runs.file("sum")) == sum);
  CHECK(runs.ran() == 1000);
  CHECK(reduced(runs.copy_of(runs.file("sum"))) == sum);
  CHECK(runs.ran() == 0);

  const auto unordered = [&](const std::string& file) {
    auto all = collect(pool.map({.ordered = false, .journal = file}, task, numbers(300)));
    std::ranges::sort(all);
    return all;
  };
  CHECK(unordered(runs.file("unordered")) == squares(300));
  CHECK(runs.ran() == 300);
  CHECK(unordered(runs.copy_of(runs.file("unordered"))) == squares(300));
  CHECK(runs.ran() == 0);
}

TEST_CASE("several calls in one journal are identified by their order", "[journal/calls]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const auto task = rankpool::partial(marked_square, runs.marks());
  const auto both = [&](const std::string& file) {
    CHECK(collect(pool.map({.journal = file}, task, numbers(20))) == squares(20));
    CHECK(collect(pool.map({.journal = file}, text, std::vector{1, 2})) == std::vector{text(1), text(2)});
    CHECK(collect(pool.map({.journal = file}, task, numbers(30))) == squares(30));
  };
  both(runs.file("three"));
  CHECK(runs.ran() == 30);  // marks are named after the number, so equal numbers count once
  both(runs.copy_of(runs.file("three")));
  CHECK(runs.ran() == 0);
}

TEST_CASE("large results in out-of-band buffers are restored", "[journal/resume]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const std::vector<std::vector<double>> expected{large(1), large(2), large(3)};
  CHECK(collect(pool.map({.journal = runs.file("large")}, large, std::vector{1, 2, 3})) == expected);
  CHECK(collect(pool.map({.journal = runs.copy_of(runs.file("large"))}, large, std::vector{1, 2, 3})) == expected);
}

TEST_CASE("failed items run again, and finished items are restored", "[journal/failures]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const auto task = rankpool::partial(marked_square_unless_fifth, runs.marks());
  const auto run = [&](const std::string& file) {
    int failures = 0;
    auto results = pool.map({.chunksize = 1, .journal = file}, task, numbers(50));
    for (auto at = results.begin(); at != results.end(); ++at) {
      try {
        (void)*at;
      } catch (const std::invalid_argument&) {
        ++failures;
      }
    }
    CHECK(failures == 10);
  };
  run(runs.file("failing"));
  CHECK(runs.ran() == 50);
  run(runs.copy_of(runs.file("failing")));
  CHECK(runs.ran() == 10);
  check_computes(pool);
}

TEST_CASE("submitted tasks are identified by their arguments, in any order", "[journal/submit]") {
  journalled_runs runs;
  const auto task = rankpool::partial(marked_square, runs.marks());
  const auto submitted = [&](const std::string& file, std::vector<int> ns) {
    rankpool::executor pool(cluster(), {.journal = file});
    std::vector<rankpool::future<int>> futures;
    for (const int n : ns) futures.push_back(pool.submit(task, n));
    for (std::size_t i = 0; i < ns.size(); ++i) CHECK(futures[i].result() == ns[i] * ns[i]);
  };
  auto ns = numbers(100);
  submitted(runs.file("some"), ns);
  CHECK(runs.ran() == 100);
  ns.push_back(1000);
  std::ranges::reverse(ns);
  submitted(runs.copy_of(runs.file("some")), ns);
  CHECK(runs.ran() == 1);
}

TEST_CASE("equal tasks each have a result, and callbacks are called for restored results", "[journal/submit]") {
  journalled_runs runs;
  std::atomic<int> called = 0;
  const auto three = [&](const std::string& file, std::uint64_t taken) {
    rankpool::journal kept(file);
    rankpool::executor pool(cluster(), {.journal = kept});
    CHECK(kept.resumes() == (taken > 0));
    std::vector<rankpool::future<std::vector<double>>> futures;
    for (int i = 0; i < 3; ++i) futures.push_back(pool.submit(large, 7));
    for (auto& f : futures) f.add_done_callback([&](const auto&) { ++called; });
    for (auto& f : futures) CHECK(f.result() == large(7));
    CHECK(eventually([&] { return called == 3; }));
    called = 0;
    CHECK(kept.restored() == std::min<std::uint64_t>(taken, 3));
  };
  three(runs.file("equal"), 0);
  three(runs.copy_of(runs.file("equal")), 3);
}

TEST_CASE("a submitted task that has failed is run again, also in the same run", "[journal/submit]") {
  journalled_runs runs;
  const auto task = rankpool::partial(marked_square_unless_fifth, runs.marks());
  const auto run = [&](const std::string& file) {
    rankpool::executor pool(cluster(), {.journal = file});
    CHECK(pool.submit(task, 4).result() == 16);
    for (int tries = 0; tries < 3; ++tries) CHECK_THROWS_AS(pool.submit(task, 5).result(), std::invalid_argument);
  };
  run(runs.file("failing"));
  CHECK(runs.ran() == 2);
  run(runs.copy_of(runs.file("failing")));
  CHECK(runs.ran() == 1);
}

TEST_CASE("the maps of an executor use its journal, and later runs recall what the first has stored", "[journal/submit]") {
  journalled_runs runs;
  const auto task = rankpool::partial(marked_square, runs.marks());
  const auto run = [&](const std::string& file, const std::string& seed) {
    rankpool::journal kept(file);
    rankpool::executor pool(cluster(), {.journal = kept});
    CHECK(collect(pool.map(task, numbers(20))) == squares(20));
    CHECK(pool.submit(task, 30).result() == 900);
    CHECK(pool.transform_reduce(numbers(10), 0, std::plus<int>(), task) == 285);
    CHECK(rankpool::journal().recall("seed", "none") == "none");
    return kept.recall("seed", seed);
  };
  CHECK(run(runs.file("first"), "a") == "a");
  CHECK(runs.ran() == 21);
  CHECK(run(runs.copy_of(runs.file("first")), "b") == "a");
  CHECK(runs.ran() == 0);
}

TEST_CASE("shared values are identified by their content, whatever their id is", "[journal/shared]") {
  journalled_runs runs;
  const auto run = [&](const std::string& file, double by) {
    rankpool::executor pool(cluster(), {.journal = file});
    const auto factor = pool.share(std::vector<double>{by, 2});  // its id differs in each run in one process
    CHECK(pool.submit(marked_product, runs.marks(), factor, 30).result() == 30 * by);
    const auto products = collect(pool.map(rankpool::partial(marked_product, runs.marks(), factor), numbers(20)));
    CHECK(products.at(19) == 19 * by);
  };
  run(runs.file("tens"), 10);
  CHECK(runs.ran() == 21);
  run(runs.copy_of(runs.file("tens")), 10);
  CHECK(runs.ran() == 0);
  CHECK_THROWS_WITH(run(runs.copy_of(runs.file("tens")), 11), containing("bound arguments differ"));
  CHECK(runs.ran() == 1);  // the submitted task has a new argument, so it runs
}

TEST_CASE("a journal of another input is refused with a message", "[journal/refused]") {
  journalled_runs runs;
  rankpool::executor pool(cluster());
  const auto task = rankpool::partial(marked_square, runs.marks());
  const std::string file = runs.file("input");
  CHECK(collect(pool.map({.chunksize = 10, .journal = file}, task, numbers(40))) == squares(40));
  (void)runs.ran();
  auto others = numbers(40);
  others[25] = 7;
  CHECK_THROWS_WITH(collect(pool.map({.journal = runs.copy_of(file)}, task, others)),
                    containing("is of another input: items 20 to 29 are not those whose results it has"));
  CHECK_THROWS_WITH(collect(pool.map({.journal = runs.copy_of(file)}, task, numbers(35))),
                    containing("is of another input: there are 35 items, and it has results up to item 39"));
  CHECK_THROWS_WITH(collect(pool.map({.journal = runs.copy_of(file)}, square, numbers(40))),
                    containing("does not match this run: call 1 is '"));
  CHECK(runs.ran() == 0);
  CHECK(collect(pool.map({.journal = runs.copy_of(file)}, task, numbers(45))) == squares(45));  // a longer input is accepted
  CHECK(runs.ran() == 5);
  check_computes(pool);
}

TEST_CASE("a journal that is damaged, foreign, locked, read-only or of another subject is refused and not changed",
          "[journal/refused]") {
  journalled_runs runs;
  {
    rankpool::executor pool(cluster());
    CHECK(collect(pool.map({.journal = rankpool::journal(runs.file("first"), "texts")}, text, std::vector{1, 2})) ==
          std::vector{text(1), text(2)});
  }
  const auto refused = [](const std::string& file, const std::string& subject, const std::string& why) {
    CAPTURE(why);
    const std::string before = contents(file);
    CHECK_THROWS_WITH(rankpool::journal(file, subject), containing("journal '" + file + "' ") && containing(why));
    CHECK(contents(file) == before);
  };
  const std::string first = runs.copy_of(runs.file("first"));
  refused(first, "numbers", "belongs to another run: it was created for 'texts', not for 'numbers'");

  const std::string damaged = runs.copy_of(first);
  damage(damaged);
  refused(damaged, "texts", "is damaged (the result of item");

  const std::string cut = runs.copy_of(first);
  fs::resize_file(cut, fs::file_size(cut) - 4096);
  refused(cut, "texts", "is damaged");

  const std::string foreign = runs.file("foreign");
  std::ofstream(foreign) << std::string(5000, 'a');
  refused(foreign, "", "is not a journal");
  CHECK_THROWS_WITH(rankpool::journal(runs.file("no/folder/here")), containing("cannot be opened"));

  const rankpool::journal ours(first, "texts");
  CHECK_NOTHROW(rankpool::journal(first, "texts"));  // the same name again
  CHECK_THROWS_AS(rankpool::journal(first, "numbers"), rankpool::journal_error);
}

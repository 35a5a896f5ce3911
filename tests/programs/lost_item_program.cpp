// lost_item_program JOURNAL: two items of one chunk of a map, and one of a reduction, end every worker that runs them. Only these
// items of the map fail, also in a second run with the same journal.
#include <rankpool/rankpool.hpp>

#include <csignal>

#include <exception>
#include <functional>
#include <iostream>
#include <ranges>
#include <string>
#include <vector>

namespace {

constexpr int fatal = 42;
constexpr int other_fatal = 44;

int square(const std::string& text) {
  const int n = std::stoi(text);
  if (n == fatal || n == other_fatal) std::raise(SIGKILL);
  return n * n;
}

long cube(const std::string& text) {
  const long n = std::stol(text);
  if (n == fatal) std::raise(SIGKILL);
  return n * n * n;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto program = [file = argv[1]](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    std::vector<std::string> texts;
    for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(i));
    int right = 0;
    int n = 0;
    const auto always = [](const std::exception_ptr&) { return true; };  // the crash limit holds nevertheless
    rankpool::journal journal(file);
    auto squares = pool.map({.chunksize = 25, .journal = journal, .retries = 1, .retry_if = always}, square, texts);
    for (auto item = squares.begin(); item != squares.end(); ++item, ++n) {
      try {
        right += *item == n * n ? 1 : 0;
      } catch (const rankpool::worker_lost& e) {
        std::cout << "item " << n << ": worker_lost, signal " << e.signal() << '\n';
      }
    }
    std::cout << right << " of " << n << " items are right\n";
    try {
      (void)pool.transform_reduce({.chunksize = 50}, texts, 0L, std::plus<>(), cube);
    } catch (const rankpool::worker_lost&) {
      std::cout << "reduction: worker_lost\n";
    }
    int lost = 0;
    for (const rankpool::worker_info& worker : cluster.workers()) lost += worker.lost ? 1 : 0;
    std::cout << lost << " workers were lost, " << journal.restored() << " chunks were restored\n";
    journal.commit();
    const rankpool::journal_reader reader(file);
    std::cout << "journal: " << reader.calls().front().failed << " failed items, " << reader.losses().size() << " losses\n";
  };
  return rankpool::run(argc, argv, program);
}

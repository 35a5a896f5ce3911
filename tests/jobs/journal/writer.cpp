// journal_writer FILE [hold]: writes the journal that journal.sh reads. With "hold", prints a line on stdout when everything is
// written, and keeps the file open until stdin ends.
#include <rankpool/rankpool.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

int square(int n) { return n * n; }

std::string text_unless_fifth(int n) {
  if (n % 5 == 0) throw std::invalid_argument("no multiple of 5, \"" + std::to_string(n) + "\"");
  if (n == 7) std::this_thread::sleep_for(std::chrono::milliseconds(60));  // the slowest item
  return std::string(2000, 'x') + std::to_string(n);
}

template <class Results>
void read_all(Results&& results) {
  for (auto at = results.begin(); at != results.end(); ++at) {
    try {
      (void)*at;
    } catch (const std::invalid_argument&) {  // the journal stores the failure
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string file = argc > 1 ? argv[1] : "";
  const bool holds = argc > 2;
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    rankpool::journal journal(file, "a test, of \"journal\"");
    read_all(pool.map({.chunksize = 1, .journal = journal}, text_unless_fifth, std::views::iota(0, 20)));
    (void)pool.transform_reduce({.chunksize = 5, .journal = journal}, std::views::iota(0, 10), 0, std::plus<int>(), square);
    if (!holds) return 0;
    auto begun = pool.map({.chunksize = 1, .buffersize = 4, .journal = journal}, square, std::views::iota(0, 1000));
    auto at = begun.begin();
    for (int n = 0; n < 10; ++n, ++at) (void)*at;
    journal.commit();
    std::cout << "ready" << std::endl;
    std::string end;
    std::getline(std::cin, end);
    return 0;
  });
}

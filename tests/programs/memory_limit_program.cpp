// Out of memory for one item, or one result, of a chunk: this item fails, and the others of its chunk are correct.
//
//   memory_limit_program items     the workers have little memory
//   memory_limit_program results   rank 0 has little memory while it reads
#include "../support/memory_limit.hpp"

#include <rankpool/rankpool.hpp>

#include <iostream>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t large_bytes = std::size_t{160} << 20;
constexpr rlim_t left_bytes = rlim_t{64} << 20;

double weigh(const std::vector<double>& values, long times) {
  return std::accumulate(values.begin(), values.end(), 0.0) * static_cast<double>(times);
}

std::string text(int n) { return std::string(n == 1 ? large_bytes : static_cast<std::size_t>(n), 'x'); }

using numbers_and_text = std::pair<std::vector<double>, std::string>;

numbers_and_text pair(int n) { return {std::vector<double>(20'000, 1), text(n)}; }

void print(auto read) {
  try {
    std::cout << read() << std::endl;
  } catch (const rankpool::serialization_error& e) {
    std::cout << "error: " << e.what() << std::endl;
  }
}

void limit_memory() { support::limit_memory(left_bytes); }

void items(rankpool::cluster& cluster) {
  rankpool::executor pool(cluster, {.initializer = limit_memory});
  std::vector<std::vector<double>> values(8, std::vector<double>(10, 1.0));
  values[1].assign(large_bytes / sizeof(double), 1.0);
  const std::vector<long> times(8, 2);
  auto results = pool.map({.chunksize = 4}, weigh, values, times);
  for (auto item = results.begin(); item != results.end(); ++item) print([&] { return *item; });
}

void results(rankpool::cluster& cluster) {
  rankpool::executor pool(cluster);
  auto texts = pool.map({.chunksize = 4}, text, std::vector{0, 1, 2, 3});
  const auto future = pool.submit(pair, 1);
  rankpool::wait({future});
  auto item = texts.begin();
  print([&] { return (*item).size(); });  // waits for the chunk
  limit_memory();
  for (++item; item != texts.end(); ++item) print([&] { return (*item).size(); });
  print([&] { return future.result().first.size(); });
  support::lift_memory_limit();
  print([&] { return future.result().first.size(); });
  print([&] { return pool.submit(pair, 2).result().first.size(); });
}

}  // namespace

int main(int argc, char** argv) {
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    if (std::string(argv[1]) == "items") {
      items(cluster);
    } else {
      results(cluster);
    }
  });
}

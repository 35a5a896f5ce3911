// A process runs out of memory for a shared value: only the tasks there that use the value fail, and the pool remains usable.
//
//   share_memory_program rank-0     rank 0 has no memory: share() throws
//   share_memory_program RANK       the first worker of a node has no memory: tasks on that node fail
#include "../support/memory_limit.hpp"

#include <rankpool/rankpool.hpp>

#include <malloc.h>

#include <iostream>
#include <new>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace {

constexpr std::size_t large = std::size_t{6} << 20;  // elements: 48 MiB
constexpr std::size_t small = std::size_t{1} << 17;  // 1 MiB
constexpr rlim_t left_bytes = rlim_t{24} << 20;

void limit_memory_of(int rank) {
  if (rankpool::this_worker::rank() == rank) support::limit_memory(left_bytes);
}

std::vector<double> counted(std::size_t n) {
  std::vector<double> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return numbers;
}

double expected_sum(std::size_t n) { return static_cast<double>(n) * (static_cast<double>(n) - 1) / 2; }

/// Adds the numbers up. Returns the rank, or -1 if the sum is wrong.
int rank_that_adds(const rankpool::shared<std::vector<double>>& numbers) {
  const bool right = std::accumulate(numbers->begin(), numbers->end(), 0.0) == expected_sum(numbers->size());
  return right ? rankpool::this_worker::rank() : -1;
}

void print(const std::string& what, const std::set<int>& ranks) {
  std::cout << what << ':';
  for (const int rank : ranks) std::cout << ' ' << rank;
  std::cout << std::endl;
}

/// Shares n numbers, and prints which ranks could add them up.
void add_everywhere(rankpool::executor& pool, std::size_t n) {
  const auto numbers = pool.share(counted(n));
  std::set<int> added;
  std::set<int> failed;
  std::string reason;
  while (added.size() + failed.size() < static_cast<std::size_t>(pool.num_workers())) {
    std::vector<rankpool::future<int>> tasks;
    for (int i = 0; i < 2 * pool.num_workers(); ++i) tasks.push_back(pool.submit(rank_that_adds, numbers));
    for (const auto& task : tasks) {
      try {
        added.insert(task.result());
      } catch (const rankpool::serialization_error& e) {
        failed.insert(rankpool::remote_context(e)->rank);
        reason = e.what();
      }
    }
  }
  print("added on", added);
  if (!failed.empty()) print("failed on", failed);
  if (!reason.empty()) std::cout << reason << std::endl;
}

void without_memory_on_a_worker(rankpool::executor& pool, int rank) {
  pool.run_everywhere(limit_memory_of, rank);
  add_everywhere(pool, large);
  add_everywhere(pool, small);
  pool.run_everywhere(support::lift_memory_limit);
  add_everywhere(pool, large);
}

void without_memory_on_rank_0(rankpool::executor& pool) {
  const std::vector<double> numbers = counted(large);
  support::limit_memory(left_bytes);
  try {
    (void)pool.share(numbers);
    std::cout << "shared" << std::endl;
  } catch (const std::bad_alloc&) {
    std::cout << "bad_alloc" << std::endl;
  }
  add_everywhere(pool, small);
  support::lift_memory_limit();
  add_everywhere(pool, large);
}

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_ARENA_MAX, 1);  // by default, glibc reserves 64 MiB for each thread
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    const std::string where = argv[1];
    where == "rank-0" ? without_memory_on_rank_0(pool) : without_memory_on_a_worker(pool, std::stoi(where));
  });
}

// Futures: callbacks, as_completed, wait, errors and cancellation.
#include <rankpool/rankpool.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

int slow_square(int n) {
  std::this_thread::sleep_for(1ms);
  return n * n;
}

double divide(double a, double b) {
  if (b == 0) throw std::domain_error("cannot divide by zero");
  return a / b;
}

void print_callbacks(rankpool::executor& pool) {
  std::mutex mutex;
  int sum = 0;
  std::vector<rankpool::future<int>> futures;
  for (int n = 1; n <= 10; ++n) {
    futures.push_back(pool.submit(slow_square, n));
    futures.back().add_done_callback([&](rankpool::future<int> done) {
      const std::scoped_lock lock(mutex);
      sum += done.result();
    });
  }
  const auto all = rankpool::wait(futures);
  // A future is done a moment before its callbacks have run.
  for (;;) {
    const std::scoped_lock lock(mutex);
    if (sum == 385) break;
    std::this_thread::yield();
  }
  std::printf("callbacks: %zu futures, sum %d\n", all.done.size(), sum);
}

void print_as_completed(rankpool::executor& pool) {
  std::vector<rankpool::future<int>> futures;
  for (int n = 1; n <= 5; ++n) futures.push_back(pool.submit(slow_square, n));
  std::set<int> squares;
  for (const rankpool::future<int>& future : rankpool::as_completed(futures, 60s)) squares.insert(future.result());
  std::printf("as completed:");
  for (const int square : squares) std::printf(" %d", square);
  std::printf("\n");
}

void print_errors(rankpool::executor& pool) {
  std::vector<rankpool::future<double>> futures;
  for (const double divisor : {2.0, 0.0, 5.0}) futures.push_back(pool.submit(divide, 10.0, divisor));
  const auto sets = rankpool::wait(futures, rankpool::return_when::all_completed, 60s);
  std::printf("done %zu, not done %zu\n", sets.done.size(), sets.not_done.size());
  for (auto& future : futures) {
    try {
      std::printf("result %.1f\n", future.result());
    } catch (const std::domain_error& error) {
      const auto* where = rankpool::remote_context(error);
      std::printf("error %s, context %s\n", error.what(), where != nullptr ? "known" : "unknown");
    }
  }
}

void print_cancelled(rankpool::executor& pool) {
  std::vector<rankpool::future<int>> futures;
  for (int n = 0; n < 100; ++n) futures.push_back(pool.submit(slow_square, n));
  for (auto& future : futures) future.cancel();
  int right = 0;
  for (int n = 0; n < 100; ++n) {
    auto& future = futures[static_cast<std::size_t>(n)];
    try {
      right += future.result() == n * n && !future.cancelled();
    } catch (const rankpool::cancelled_error&) {
      right += future.cancelled();
    }
  }
  std::printf("cancelled or computed: %d\n", right);
}

}  // namespace

int main(int argc, char** argv) {
  return rankpool::run(argc, argv, [](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    print_callbacks(pool);
    print_as_completed(pool);
    print_errors(pool);
    print_cancelled(pool);
    pool.shutdown();
    try {
      pool.submit(slow_square, 1);
    } catch (const rankpool::pool_closed&) {
      std::printf("closed\n");
    }
  });
}

// Tests run() as the shell sees it: status_program [N | throw | throw-in-task | throw-while-busy | workers-are-here] [STATUS].
//
// Every rank prints the status that run() returns. With STATUS, main() returns this one on rank 0.
#include <rankpool/rankpool.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

int square(int n) { return n * n; }

int doze(int n) {
  std::this_thread::sleep_for(20ms);
  return n;
}

}  // namespace

// Outside of the unnamed namespace, so that the stack trace shows it.
[[gnu::noinline]] int stumble(int n) {
  if (n == 5) throw std::invalid_argument("the reactor is not a toy");
  return n;
}

namespace {

int work(rankpool::cluster& cluster, const std::string& order) {
  rankpool::executor pool(cluster);
  if (pool.submit(square, 5).result() != 25) return 99;
  if (order == "throw") throw std::invalid_argument("the reactor is not a toy");
  if (order == "throw-in-task") pool.submit(stumble, 5).result();
  if (order == "workers-are-here") return cluster.workers().front().rank == 0 ? 0 : 1;
  if (order == "throw-while-busy") {
    std::vector<rankpool::future<int>> tasks;
    for (int n = 0; n < 20; ++n) tasks.push_back(pool.submit(doze, n));
    throw std::invalid_argument("the reactor is not a toy");
  }
  return std::atoi(order.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string order = argc > 1 ? argv[1] : "";
  bool is_rank_0 = false;
  const int status = order.empty() ? rankpool::run(argc, argv,
                                                   [](rankpool::cluster& cluster) {
                                                     rankpool::executor pool(cluster);
                                                     pool.submit(square, 2).result();
                                                   })
                                   : rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
                                       is_rank_0 = true;
                                       return work(cluster, order);
                                     });
  std::printf("status %d\n", status);
  std::fflush(stdout);
  std::this_thread::sleep_for(100ms);  // mpirun ends the other ranks when the first one returns a failure
  return is_rank_0 && argc > 2 ? std::atoi(argv[2]) : status;
}

// traced_program FILE: writes a trace of submitted tasks, and of a map; one task and one item fail.
#include <rankpool/rankpool.hpp>

#include <chrono>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

int wait_briefly(int n) {
  std::this_thread::sleep_for(1ms);
  if (n == 50) throw std::runtime_error("no luck");
  return n;
}

long square(long n) {
  if (n == 70'000) throw std::runtime_error("no luck");
  return n * n;
}

}  // namespace

int main(int argc, char** argv) {
  rankpool::run_options options;
  if (argc > 1) options.trace = argv[1];
  const auto program = [](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    std::vector<rankpool::future<int>> futures;
    for (int n = 0; n < 100; ++n) futures.push_back(pool.submit(wait_briefly, n));
    int failed = 0;
    for (auto& f : futures) failed += f.exception() != nullptr ? 1 : 0;
    auto squares = pool.map(square, std::views::iota(0L, 100'000L));
    for (auto next = squares.begin(); next != squares.end(); ++next) {
      try {
        (void)*next;
      } catch (const std::runtime_error&) {
        ++failed;
      }
    }
    return failed == 2 ? 0 : 1;
  };
  return rankpool::run(argc, argv, program, options);
}

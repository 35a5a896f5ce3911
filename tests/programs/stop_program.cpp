// stop_program JOURNAL MARKS N MILLISECONDS [SECONDS]: the sum of 1 to N. A task for each number sleeps for MILLISECONDS and adds a
// byte to the file MARKS. The run stops early at a signal or after SECONDS, and resumes from its journal.
#include <rankpool/rankpool.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <ranges>
#include <string>
#include <thread>

namespace {

long marked(const std::string& marks, int milliseconds, long n) {
  const int file = ::open(marks.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  (void)!::write(file, "x", 1);
  ::close(file);
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  std::optional<std::chrono::system_clock::time_point> until;
  if (argc > 5) until = std::chrono::system_clock::now() + std::chrono::seconds(std::atoi(argv[5]));
  return rankpool::run(argc, argv,
                       [&](rankpool::cluster& cluster) {
                         rankpool::executor pool(cluster);
                         const long sum = pool.transform_reduce(
                             {.journal = argv[1]}, std::views::iota(1L, std::atol(argv[3]) + 1), 0L, std::plus<long>(),
                             rankpool::partial(marked, std::string(argv[2]), std::atoi(argv[4])));
                         std::cout << sum << '\n';
                       },
                       {.stop_on_signal = true, .stop_at = until, .grace = std::chrono::seconds(5)});
}

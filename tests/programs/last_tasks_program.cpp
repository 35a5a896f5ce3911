// A program that returns while tasks are pending: all tasks run before run() returns, and nothing is printed.
//
// The executor is destroyed after run(). The status is 0 if every task has left its mark when run() returns.
#include <rankpool/rankpool.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

constexpr int tasks = 50;

void leave_mark(const std::string& path) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::ofstream mark(path);
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<rankpool::executor> pool;
  std::filesystem::path marks;  // set only on rank 0
  const int status = rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    marks = std::filesystem::temp_directory_path() / ("rankpool-last-tasks-" + std::to_string(getpid()));
    std::filesystem::create_directory(marks);
    pool.emplace(cluster);
    for (int n = 0; n < tasks; ++n) pool->submit(leave_mark, (marks / std::to_string(n)).string());
  });
  if (marks.empty()) return status;
  const auto left = std::distance(std::filesystem::directory_iterator(marks), {});
  std::filesystem::remove_all(marks);
  return left == tasks ? status : 1;
}

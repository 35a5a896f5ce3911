// Tells on stderr how far a long job is: nothing in its first seconds, then a line every few.
#pragma once

#include <chrono>
#include <cstddef>
#include <iostream>
#include <string>
#include <utility>

namespace jobs {

class progress_line {
 public:
  explicit progress_line(std::string job) : job_(std::move(job)) {}

  void operator()(std::size_t done, std::size_t all) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::seconds(3) || done == all) return;
    last_ = now;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start_).count();
    std::cerr << job_ << ": " << done << " of " << all << " steps done after " << seconds << " s\n";
  }

 private:
  std::string job_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = start_;
};

}  // namespace jobs

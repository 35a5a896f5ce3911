// A pipe to read from, with a text in it.
#pragma once

#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "support/catch.hpp"

/// Holds `text` and ends there.
class written_pipe {
 public:
  explicit written_pipe(const std::string& text) {
    REQUIRE(::pipe(ends_.data()) == 0);
    writer_ = std::thread([this, text] {
      for (std::size_t at = 0; at < text.size();)
        at += static_cast<std::size_t>(::write(ends_[1], text.data() + at, text.size() - at));
      ::close(ends_[1]);
    });
  }
  ~written_pipe() {
    writer_.join();
    ::close(ends_[0]);
  }
  int get() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
  std::thread writer_;
};

// Creates pipes as inputs for tests.
#pragma once

#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "support/catch.hpp"

/// A pipe that contains `text` and stays open. `text` must fit into the buffer of a pipe.
class open_pipe {
 public:
  explicit open_pipe(std::string_view text) {
    REQUIRE(::pipe(ends_.data()) == 0);
    write(text);
  }
  ~open_pipe() {
    end();
    ::close(ends_[0]);
  }
  int get() const { return ends_[0]; }
  void write(std::string_view text) { REQUIRE(::write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size())); }
  void end() {
    if (const int descriptor = std::exchange(ends_[1], -1); descriptor >= 0) ::close(descriptor);
  }

 private:
  std::array<int, 2> ends_{};
};

/// A pipe that contains `text` and is then closed. `text` may have any length.
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

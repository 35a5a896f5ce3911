// Captures what this process writes to stderr, for tests of log messages.
#pragma once

#include "support/gate.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace support {

/// Redirects stderr to a file during its lifetime.
class captured_stderr {
 public:
  captured_stderr() : before_(dup(STDERR_FILENO)) {
    const int file = open(path().c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  ~captured_stderr() {
    dup2(before_, STDERR_FILENO);
    close(before_);
  }
  captured_stderr(const captured_stderr&) = delete;
  captured_stderr& operator=(const captured_stderr&) = delete;

  std::string text() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string path() const { return directory_.file("stderr"); }

  scratch_directory directory_;
  int before_;
};

}  // namespace support

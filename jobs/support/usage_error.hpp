// The error type for invalid command lines.
#pragma once

#include <stdexcept>

namespace jobs {

/// An option, an argument or an input file is invalid. The command prints what() as one line and exits with status 2.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace jobs

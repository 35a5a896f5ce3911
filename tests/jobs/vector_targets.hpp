// Runs tests of vector kernels for each instruction set that the processor supports: see jobs/support/vector_targets.hpp.
#pragma once

#include <functional>
#include <string>

namespace support {

/// Calls check(name) for each target that the kernels are compiled for and that this processor supports. During the call, kernels
/// run as compiled for that target. Thread safety: no other thread may run a kernel.
void for_each_vector_target(const std::function<void(const std::string& target)>& check);

}  // namespace support

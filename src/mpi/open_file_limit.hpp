// The limit on open files. A launcher opens several files for each of its ranks.
#pragma once

#include <string>

namespace rankpool::detail {

/// Raises this process's soft limit on open files if `ranks` ranks on one node need more. The launcher inherits the limit.
/// Returns an empty string, or why that many ranks cannot start and what to do.
std::string raise_open_file_limit(int ranks);

}  // namespace rankpool::detail

// What cost time in a run, in sentences with numbers.
#pragma once

#include <string>
#include <vector>

#include "report/run_data.hpp"

namespace jobs {

/// Returns what a user should know first, in descending order of cost; empty if there is nothing to say.
std::vector<std::string> findings(const run_data& run);

}  // namespace jobs

// Small integer matrices, as in the tutorial: vectors of rows, which are sent by value.
#pragma once

#include <cstdint>
#include <vector>

namespace jobs {

using row = std::vector<std::int64_t>;
using matrix = std::vector<row>;

}  // namespace jobs

// Small matrices of whole numbers, as the tutorial has them: rows that travel as vectors.
#pragma once

#include <cstdint>
#include <vector>

namespace jobs {

using row = std::vector<std::int64_t>;
using matrix = std::vector<row>;

}  // namespace jobs

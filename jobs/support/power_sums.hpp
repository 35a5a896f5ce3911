// Exact sums of consecutive squares and cubes, computed term by term.
#pragma once

#include <gmpxx.h>

#include <cstdint>
#include <tuple>

namespace jobs {

/// The first and the last number; first <= last.
using number_range = std::tuple<std::uint64_t, std::uint64_t>;

mpz_class add_squares(const number_range& numbers);
mpz_class add_cubes(const number_range& numbers);

}  // namespace jobs

// The filters that PNG applies to a row before compression, and the cost by which one of them is chosen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace jobs::png {

constexpr std::size_t filters = 5;  // none, left, up, average, Paeth, in the order of their numbers in the file

/// Applies filters 1 to 4 to the row `at` and writes n bytes for each. `up` is the row above. `apart` is the number of bytes per
/// pixel; `at` and `up` must be preceded by `apart` zero bytes.
void filter_row(const std::uint8_t* at, const std::uint8_t* up, std::size_t apart, std::size_t n,
                const std::array<std::uint8_t*, filters>& out);

/// Returns the sum of the absolute values of the bytes, taken as signed. The filter of the lowest cost usually compresses best.
std::uint64_t filter_cost(const std::uint8_t* bytes, std::size_t n);

}  // namespace jobs::png

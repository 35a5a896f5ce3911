// The filters that PNG applies to a row before it is compressed, and the choice among them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace jobs::png {

constexpr std::size_t filters = 5;  // none, left, up, average, Paeth: their numbers in the file

/// Writes the row `at` as filters 1 to 4 leave it, n bytes each. `up` is the row above. `apart` is the number of bytes of a
/// pixel: as many zero bytes stand before `at` and before `up`.
void filter_row(const std::uint8_t* at, const std::uint8_t* up, std::size_t apart, std::size_t n,
                const std::array<std::uint8_t*, filters>& out);

/// Small where the bytes, taken as signed, are small. The filter of the least cost mostly compresses best.
std::uint64_t filter_cost(const std::uint8_t* bytes, std::size_t n);

}  // namespace jobs::png

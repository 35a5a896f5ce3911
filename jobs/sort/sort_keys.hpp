// Sorts keys in the memory of one worker: Highway's vectorized quicksort, in place.
#pragma once

#include <cstdint>
#include <span>

namespace jobs {

void sort_keys(std::span<std::uint32_t> keys);
void sort_keys(std::span<std::uint64_t> keys);

}  // namespace jobs

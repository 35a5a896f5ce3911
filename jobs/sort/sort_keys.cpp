#include "sort/sort_keys.hpp"

#include <hwy/contrib/sort/vqsort.h>
#include <algorithm>

namespace jobs {
namespace {

// Sorted input is common, and checking for it costs a fortieth of the time of sorting.
template <class Key>
void sort(std::span<Key> keys) {
  if (std::ranges::is_sorted(keys)) return;
  const hwy::Sorter sorter;
  sorter(keys.data(), keys.size(), hwy::SortAscending());
}

}  // namespace

void sort_keys(std::span<std::uint32_t> keys) { sort(keys); }
void sort_keys(std::span<std::uint64_t> keys) { sort(keys); }

}  // namespace jobs

#include <rankpool/detail/bytes.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

namespace rankpool::detail {
namespace {
constexpr std::size_t huge_page = 2 << 20;
}

void advise_huge_pages(void* data, std::size_t size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (begin + huge_page - 1) / huge_page * huge_page;
  const std::uintptr_t last = (begin + size) / huge_page * huge_page;
  if (last > first) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);  // where it is not taken, nothing is lost
}

namespace {

// Large memory that buffers have let go of. Never destroyed: objects of static storage may have buffers.
struct kept_memory {
  std::byte* memory;
  std::size_t capacity;
};
std::mutex& kept_mutex() {
  static auto& m = *new std::mutex;
  return m;
}
std::vector<kept_memory>& all_kept() {
  static auto& v = *new std::vector<kept_memory>;
  return v;
}

}  // namespace

std::byte* byte_buffer::allocate(std::size_t& capacity) {
  if (capacity < 2 * huge_page) {
    void* p = std::malloc(capacity);
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(p);
  }
  if (capacity > SIZE_MAX - huge_page) throw std::bad_alloc();
  capacity = (capacity + huge_page - 1) / huge_page * huge_page;
  {
    std::lock_guard lock(kept_mutex());
    auto& kept = all_kept();
    const auto fits = std::find_if(kept.begin(), kept.end(), [&](const kept_memory& k) { return suits(k.capacity, capacity); });
    if (fits != kept.end()) {
      std::byte* const memory = fits->memory;
      capacity = fits->capacity;
      spare_bytes -= capacity;
      kept.erase(fits);
      return memory;
    }
  }
  void* p = std::aligned_alloc(huge_page, capacity);
  if (p == nullptr) throw std::bad_alloc();
  advise_huge_pages(p, capacity);
  return static_cast<std::byte*>(p);
}

void byte_buffer::deallocate(std::byte* memory, std::size_t capacity) noexcept {
  if (capacity >= 2 * huge_page && capacity <= most_spare_bytes) {
    try {
      std::lock_guard lock(kept_mutex());
      auto& kept = all_kept();
      while (!kept.empty() && spare_bytes + capacity > most_spare_bytes) {  // the oldest goes
        spare_bytes -= kept.front().capacity;
        std::free(kept.front().memory);
        kept.erase(kept.begin());
      }
      if (spare_bytes + capacity <= most_spare_bytes) {
        kept.push_back({memory, capacity});
        spare_bytes += capacity;
        return;
      }
    } catch (...) {  // no memory for the list: let go
    }
  }
  std::free(memory);
}

}  // namespace rankpool::detail

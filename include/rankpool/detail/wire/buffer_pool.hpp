// Buffer pools: objects that are kept for reuse of their memory. The first access to new memory costs more than sending the data
// that will be in it. The pools of a process together have a size limit.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// The maximum and the current number of bytes that are pooled in this process.
inline constexpr std::size_t max_pooled_bytes = 256 << 20;
inline std::atomic<std::size_t> pooled_bytes = 0;

/// The pool of one type. `Capacity`: a function object that returns the size of an object's memory in bytes.
/// Thread safety: all members may be called from any thread.
template <class V, class Capacity>
class buffer_pool {
 public:
  /// Adds an object to the pool, or destroys it if it is too small or too large. Removes the oldest objects if the pool is full.
  static void give(V value) noexcept {
    const std::size_t size = Capacity{}(value);
    if (size < min_bytes || size > max_pooled_bytes) return;
    std::lock_guard lock(mutex());
    auto& kept = all();
    while (!kept.empty() && pooled_bytes + size > max_pooled_bytes) {  // remove the oldest
      pooled_bytes -= Capacity{}(kept.front());
      kept.erase(kept.begin());
    }
    if (pooled_bytes + size > max_pooled_bytes) return;
    try {
      kept.push_back(std::move(value));
      pooled_bytes += size;
    } catch (const std::bad_alloc&) {  // out of memory: destroy the object
    }
  }

  /// Removes and returns an object with room for `bytes` bytes, if there is one. Its capacity is at most twice `bytes`, so that a
  /// small value does not occupy a large buffer.
  static std::optional<V> take(std::size_t bytes) {
    if (bytes < min_bytes) return std::nullopt;
    std::lock_guard lock(mutex());
    auto& kept = all();
    const auto fits = std::find_if(kept.rbegin(), kept.rend(), [&](const V& v) {
      const std::size_t capacity = Capacity{}(v);
      return capacity >= bytes && capacity / 2 <= bytes;
    });
    if (fits == kept.rend()) return std::nullopt;
    pooled_bytes -= Capacity{}(*fits);
    std::optional<V> value(std::move(*fits));
    kept.erase(std::next(fits).base());
    return value;
  }

 private:
  static constexpr std::size_t min_bytes = 64 << 10;

  // Never destroyed, because buffers may be returned after static objects are destroyed.
  static std::mutex& mutex() {
    static auto& m = *new std::mutex;
    return m;
  }
  static std::vector<V>& all() {
    static auto& v = *new std::vector<V>;
    return v;
  }
};

}  // namespace rankpool::detail

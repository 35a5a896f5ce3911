// Objects that are no longer needed, kept for their memory: to touch fresh memory costs more than to send what will be
// in it. All of a process together are bounded.
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

/// Bytes that a process keeps although nothing is in them, and how many they are now.
inline constexpr std::size_t most_spare_bytes = 256 << 20;
inline std::atomic<std::size_t> spare_bytes = 0;

/// Those of one type. `Capacity`: a function object that tells an object's memory in bytes.
template <class V, class Capacity>
class spares {
 public:
  /// Keeps it, or lets go of it if it is too small to be worth it or too large.
  static void give(V value) noexcept {
    const std::size_t size = Capacity{}(value);
    if (size < least_bytes || size > most_spare_bytes) return;
    std::lock_guard lock(mutex());
    auto& kept = all();
    while (!kept.empty() && spare_bytes + size > most_spare_bytes) {  // the oldest goes
      spare_bytes -= Capacity{}(kept.front());
      kept.erase(kept.begin());
    }
    if (spare_bytes + size > most_spare_bytes) return;
    try {
      kept.push_back(std::move(value));
      spare_bytes += size;
    } catch (const std::bad_alloc&) {  // no memory for the list
    }
  }

  /// One with room for so many bytes, and not for so many that a small value would sit in a large piece for ever.
  static std::optional<V> take(std::size_t bytes) {
    if (bytes < least_bytes) return std::nullopt;
    std::lock_guard lock(mutex());
    auto& kept = all();
    const auto fits = std::find_if(kept.rbegin(), kept.rend(), [&](const V& v) {
      const std::size_t capacity = Capacity{}(v);
      return capacity >= bytes && capacity / 2 <= bytes;
    });
    if (fits == kept.rend()) return std::nullopt;
    spare_bytes -= Capacity{}(*fits);
    std::optional<V> value(std::move(*fits));
    kept.erase(std::next(fits).base());
    return value;
  }

 private:
  static constexpr std::size_t least_bytes = 64 << 10;

  // Never destroyed: what they are for may go later than objects of static storage.
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

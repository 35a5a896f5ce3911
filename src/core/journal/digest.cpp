// What tells inputs apart: digests of bytes, and of encoded arguments.
#include <rankpool/detail/digest.hpp>

#include <rankpool/detail/shared_data.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <vector>

namespace rankpool::detail {

digest digest_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

digest digest_of(std::span<const std::byte> bytes, blocks_view beside, const keepers& shared) {
  std::vector<std::byte> text;  // once something is replaced
  for (const auto& data : shared) {
    // Half of a number is random: where its bytes stand, the value is meant.
    const std::uint64_t number = data->id();
    const void* found = nullptr;
    for (std::size_t at = 0; (found = ::memmem(bytes.data() + at, bytes.size() - at, &number, sizeof number)) != nullptr;
         at += sizeof number) {
      at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
      if (text.empty()) {
        text.assign(bytes.begin(), bytes.end());
        bytes = text;
      }
      std::memcpy(&text[at], &data->content(), sizeof number);
    }
  }
  if (beside.empty()) return digest_of(bytes);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, bytes.data(), bytes.size());
  for (const auto& block : beside) XXH3_128bits_update(&state, block->data(), block->size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

}  // namespace rankpool::detail

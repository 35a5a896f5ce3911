// Digests of bytes and of encoded arguments, which identify the inputs of calls and tasks.
#include <rankpool/detail/wire/digest.hpp>

#include <rankpool/detail/shared/shared_data.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>

namespace rankpool::detail {

digest digest_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

digest digest_of(std::span<const std::byte> bytes, blocks_view out_of_band, std::span<const shared_reference> references) {
  if (out_of_band.empty() && references.empty()) return digest_of(bytes);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  std::size_t at = 0;
  for (const auto& [offset, value] : references) {
    XXH3_128bits_update(&state, bytes.data() + at, offset - at);
    XXH3_128bits_update(&state, value->content().data(), sizeof(digest));
    at = offset + sizeof(std::uint64_t);
  }
  XXH3_128bits_update(&state, bytes.data() + at, bytes.size() - at);
  for (const auto& block : out_of_band) XXH3_128bits_update(&state, block->data(), block->size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

}  // namespace rankpool::detail

// Digests of bytes and of encoded arguments, which identify the inputs of calls and tasks.
#include <rankpool/detail/wire/digest.hpp>

#include <rankpool/detail/shared/shared_data.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <vector>

namespace rankpool::detail {

digest digest_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

digest digest_of(std::span<const std::byte> bytes, blocks_view out_of_band, const keepers& shared) {
  std::vector<std::byte> text;  // a copy of the bytes, made at the first replacement
  for (const auto& data : shared) {
    // All bytes that equal the id of a shared value are taken for a reference to it. Half of the id's bits are random, so other
    // data is unlikely to equal it.
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
  if (out_of_band.empty()) return digest_of(bytes);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, bytes.data(), bytes.size());
  for (const auto& block : out_of_band) XXH3_128bits_update(&state, block->data(), block->size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

}  // namespace rankpool::detail

// What tells inputs apart: digests of bytes, and of encoded arguments.
#include <rankpool/detail/digest.hpp>

#include <rankpool/detail/journal_call.hpp>
#include <rankpool/detail/shared_data.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace rankpool::detail {
namespace {

using byte_vector = std::vector<std::byte>;

// Half of a number is random: where its bytes stand, the value is meant.
byte_vector with_content(std::span<const std::byte> bytes, const keepers& shared) {
  byte_vector text(bytes.begin(), bytes.end());
  for (const auto& data : shared) {
    const std::uint64_t id = data->id();
    const auto number = std::as_bytes(std::span(&id, 1));
    const auto content = std::as_bytes(std::span(data->content())).first(number.size());
    for (auto at = text.begin(); (at = std::search(at, text.end(), number.begin(), number.end())) != text.end();
         at += static_cast<std::ptrdiff_t>(number.size())) {
      std::copy(content.begin(), content.end(), at);
    }
  }
  return text;
}

}  // namespace

digest digest_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

digest digest_of(std::span<const std::byte> bytes, blocks_view beside, const keepers& shared) {
  const byte_vector text = shared.empty() ? byte_vector() : with_content(bytes, shared);
  if (!shared.empty()) bytes = text;
  if (beside.empty()) return digest_of(bytes);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, bytes.data(), bytes.size());
  for (const auto& block : beside) XXH3_128bits_update(&state, block->data(), block->size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

}  // namespace rankpool::detail

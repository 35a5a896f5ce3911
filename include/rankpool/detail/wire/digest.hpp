// Digests, by which a journal identifies the inputs of calls and tasks.
#pragma once

#include <rankpool/detail/wire/block.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rankpool::detail {

/// A 128-bit XXH3 hash.
using digest = std::array<std::uint64_t, 2>;
/// Returns the digest of bytes.
digest digest_of(std::span<const std::byte> bytes);
/// Returns the digest of encoded arguments with their out-of-band buffers. The id of a shared value differs in every run, so the
/// digest contains the digest of the value's content instead. `references`: of `bytes`, with offsets from its first byte.
digest digest_of(std::span<const std::byte> bytes, blocks_view out_of_band, std::span<const shared_reference> references);

}  // namespace rankpool::detail

// What tells inputs of calls and tasks apart, for journals.
#pragma once

#include <rankpool/detail/block.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rankpool::detail {

/// 128 bits of XXH3.
using digest = std::array<std::uint64_t, 2>;
digest digest_of(std::span<const std::byte> bytes);
/// Of encoded arguments with what travels beside them. Shared values, which have another number in every run, count by their
/// content.
digest digest_of(std::span<const std::byte> bytes, blocks_view beside, const keepers& shared);

}  // namespace rankpool::detail

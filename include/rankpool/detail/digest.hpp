// What tells inputs of calls and tasks apart, for journals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rankpool::detail {

/// 128 bits of XXH3.
using digest = std::array<std::uint64_t, 2>;
digest digest_of(std::span<const std::byte> bytes);

}  // namespace rankpool::detail

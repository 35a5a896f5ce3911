// Parses numbers of bytes with units: 65536, 512K, 1.5G, 4GB.
#pragma once

#include <cstdint>
#include <string_view>

namespace jobs {

/// Reads a number of bytes: a whole number or a decimal fraction, then K, M, G or T (also KiB, MiB, GiB, TiB) for powers of 1024,
/// or kB, MB, GB, TB for powers of 1000. Throws: std::invalid_argument.
std::uint64_t parse_size(std::string_view text);

}  // namespace jobs

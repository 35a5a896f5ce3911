// Parses numbers of bytes with units: 65536, 512K, 1.5G, 4GB.
#pragma once

#include <cstdint>
#include <string_view>

namespace jobs {

/// Returns a number of bytes. `text` is a number or decimal fraction, followed by K, M, G or T (also KiB, MiB, GiB, TiB) for
/// powers of 1024, or by kB, MB, GB, TB for powers of 1000. Throws: std::invalid_argument.
std::uint64_t parse_size(std::string_view text);

}  // namespace jobs

// Numbers of bytes with units, as options take them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobs {

/// Reads a number of bytes: a whole number or a decimal fraction, then K, M, G or T (also KiB, MiB, GiB, TiB) for powers of 1024,
/// or kB, MB, GB, TB for powers of 1000. Throws: std::invalid_argument.
std::uint64_t parse_size(std::string_view text);

/// Adds an option that takes a size in [least, most] bytes.
CLI::Option* add_size(CLI::App& job, const std::string& name, std::uint64_t& bytes, const std::string& help, std::uint64_t least,
                      std::uint64_t most);

}  // namespace jobs

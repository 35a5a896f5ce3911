// Catch2, version 2 or 3, under one name, with the few spellings that differ between the two.
//
// Why: the oldest supported distribution ships version 2 (one header), newer ones version 3 (many headers).
// Tests include this file and nothing of Catch2 themselves.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace support {

/// Matches a text that contains `part`.
inline auto containing(const std::string& part) {
#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}

}  // namespace support

// Includes Catch2, version 2 or 3, and hides the differences between the versions.
//
// The oldest supported distribution has version 2, with a single header. Newer ones have version 3, with many headers. Tests
// include this file instead of headers of Catch2.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>
#include <vector>

namespace support {

/// Returns a matcher for texts that contain `part`.
#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
inline auto containing(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }
#else
inline auto containing(const std::string& part) { return Catch::Matchers::Contains(part); }
#endif

// For listeners only, so that other files can use these names.
#if defined(CATCH_CONFIG_EXTERNAL_INTERFACES) || defined(CATCH_CONFIG_RUNNER)
#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
using listener_base = Catch::EventListenerBase;

inline std::string name_of(const Catch::TestCaseStats& test) { return test.testInfo->name; }

inline std::vector<std::string> tags_of(const Catch::TestCaseStats& test) {
  std::vector<std::string> tags;
  for (const auto& tag : test.testInfo->tags) tags.emplace_back(tag.original.data(), tag.original.size());
  return tags;
}
#else
using listener_base = Catch::TestEventListenerBase;

inline std::string name_of(const Catch::TestCaseStats& test) { return test.testInfo.name; }

inline std::vector<std::string> tags_of(const Catch::TestCaseStats& test) { return test.testInfo.tags; }
#endif
#endif

}  // namespace support

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
#include <vector>

namespace support {

#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3

/// Matches a text that contains `part`.
inline auto containing(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }

using listener_base = Catch::EventListenerBase;

inline std::string name_of(const Catch::TestCaseStats& test) { return test.testInfo->name; }

inline std::vector<std::string> tags_of(const Catch::TestCaseStats& test) {
  std::vector<std::string> tags;
  for (const auto& tag : test.testInfo->tags) tags.emplace_back(tag.original.data(), tag.original.size());
  return tags;
}

#else

inline auto containing(const std::string& part) { return Catch::Matchers::Contains(part); }

#if defined(CATCH_CONFIG_EXTERNAL_INTERFACES) || defined(CATCH_CONFIG_RUNNER)
using listener_base = Catch::TestEventListenerBase;

inline std::string name_of(const Catch::TestCaseStats& test) { return test.testInfo.name; }

inline std::vector<std::string> tags_of(const Catch::TestCaseStats& test) { return test.testInfo.tags; }
#endif

#endif

}  // namespace support

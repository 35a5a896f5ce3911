#include "exec/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace jobs {

bool is_of_launcher(const char* entry) {
  constexpr std::array<std::string_view, 9> prefixes{
      "OMPI_", "OPAL_", "ORTE_", "PMIX_", "PRTE_", "PMI_", "HYDRA_", "RANKPOOL_INSIDE=", "RANKPOOL_STDOUT="};
  const std::string_view name(entry);
  if (name.starts_with("OMPI_ALLOW_RUN_AS_ROOT")) return false;
  return std::ranges::any_of(prefixes, [name](std::string_view prefix) { return name.starts_with(prefix); });
}

char* const* command_environment() {
  static const std::vector<char*> kept = [] {
    std::vector<char*> entries;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (!is_of_launcher(*entry)) entries.push_back(*entry);
    }
    entries.push_back(nullptr);
    return entries;
  }();
  return kept.data();
}

}  // namespace jobs

// Canonical paths: one form of a path, however it is written.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace jobs {

/// Returns the absolute path with all symbolic links resolved. Returns `path` itself if it is empty or cannot be resolved.
inline std::string canonical_path(const std::string& path) {
  std::error_code error;
  const auto canonical = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  return path.empty() || error ? path : canonical.string();
}

}  // namespace jobs

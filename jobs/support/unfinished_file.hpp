// The library's unfinished_file for results that rank 0 writes, and the resolution of symbolic links in their names.
#pragma once

#include <filesystem>
#include <functional>
#include <rankpool/unfinished_file.hpp>
#include <string>

namespace jobs {

using rankpool::unfinished_file;

/// Resolves the symbolic links of this name, whether the file exists or not. Stops at a link for which `is_last` returns
/// true.
std::string behind_links(const std::string& path, const std::function<bool(const std::filesystem::path&)>& is_last = {});

}  // namespace jobs

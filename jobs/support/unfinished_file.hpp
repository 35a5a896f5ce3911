// The library's unfinished_file, for results that rank 0 writes, and the names of files behind symbolic links.
#pragma once

#include <filesystem>
#include <functional>
#include <rankpool/unfinished_file.hpp>
#include <string>

namespace jobs {

using rankpool::unfinished_file;

/// Returns the path to which the symbolic links of this name lead, whether there is a file or not; up to a link for which `is_last`
/// is true.
std::string behind_links(const std::string& path, const std::function<bool(const std::filesystem::path&)>& is_last = {});

}  // namespace jobs

#include "support/unfinished_file.hpp"

#include <system_error>

namespace jobs {

std::string behind_links(const std::string& path, const std::function<bool(const std::filesystem::path&)>& is_last) {
  std::filesystem::path found = path;
  for (int links = 0; links < 40; ++links) {  // Linux follows at most 40 links
    if (is_last && is_last(found)) break;
    std::error_code error;
    const std::filesystem::path target = std::filesystem::read_symlink(found, error);
    if (error) break;
    found = found.parent_path() / target;
  }
  return found.string();
}

}  // namespace jobs

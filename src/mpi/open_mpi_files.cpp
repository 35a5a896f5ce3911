// Finds and removes the session directory and the shared memory files of Open MPI 4.
#include "mpi/open_mpi_files.hpp"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace rankpool::detail {
namespace {

namespace fs = std::filesystem;

/// Returns whether `path` is this user's "ompi.HOST.UID", which contains the session directories of all launchers.
bool is_own_directory(const fs::path& path) {
  std::error_code none;
  const std::string name = path.filename();
  const std::string user = std::to_string(::geteuid());
  return name.starts_with("ompi.") && name.substr(name.rfind('.') + 1) == user && fs::is_directory(fs::symlink_status(path, none));
}

/// Returns the part of a shared memory file's name that identifies the ranks of a launch; empty if it is unknown. The first number
/// in contact.txt is the launcher's; its ranks have the next number.
std::string segment_infix(const fs::path& session_directory) {
  std::uint32_t launcher = 0;
  std::ifstream(session_directory / "contact.txt") >> launcher;
  std::ostringstream text;
  text << "." << std::hex << launcher + 1 << ".";
  return launcher == 0 ? std::string() : text.str();
}

void remove_segments(const std::string& infix) {
  std::error_code error;
  for (fs::directory_iterator entry("/dev/shm", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    std::error_code none;
    if (name.starts_with("vader_segment.") && name.find(infix) != std::string::npos) fs::remove(entry->path(), none);
  }
}

}  // namespace

void remove_open_mpi_files(pid_t launcher) {
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  for (fs::directory_iterator entry(temporary, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path directory = entry->path() / ("pid." + std::to_string(launcher));
    std::error_code none;
    if (!is_own_directory(entry->path()) || !fs::exists(directory, none)) continue;
    if (const std::string infix = segment_infix(directory); !infix.empty()) remove_segments(infix);
    fs::remove_all(directory, none);
    fs::remove(entry->path(), none);  // if it is empty
  }
}

}  // namespace rankpool::detail

// Finds and removes the session directory and the shared memory files of Open MPI 4 and 5.
#include "mpi/open_mpi_files.hpp"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

namespace rankpool::detail {
namespace {

namespace fs = std::filesystem;

/// Returns whether `path` is a directory, and not a symbolic link to one.
bool is_real_directory(const fs::path& path) {
  std::error_code none;
  return fs::is_directory(fs::symlink_status(path, none));
}

/// Removes the shared memory files whose names begin with `prefix` and contain `infix`.
void remove_segments(std::string_view prefix, std::string_view infix) {
  std::error_code error;
  for (fs::directory_iterator entry("/dev/shm", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    std::error_code none;
    if (name.starts_with(prefix) && name.find(infix) != std::string::npos) fs::remove(entry->path(), none);
  }
}

/// Returns the words, each after a dot.
std::string dotted(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text.append(1, '.').append(word);
  return text;
}

std::string hexadecimal(std::uint32_t number) {
  std::ostringstream text;
  text << std::hex << number;
  return text.str();
}

/// Open MPI 4: `all_sessions` is "ompi.HOST.UID" and contains the session directories of all launchers of this user. The first
/// number in contact.txt is the launcher's; its ranks have the next number, which is part of their shared memory files' names.
void remove_open_mpi_4_files(const fs::path& all_sessions, const std::string& user, const std::string& launcher) {
  const std::string name = all_sessions.filename();
  const fs::path session = all_sessions / ("pid." + launcher);
  if (!name.starts_with("ompi.") || !name.ends_with(dotted({user})) || !is_real_directory(all_sessions) ||
      !is_real_directory(session))
    return;
  std::uint32_t number = 0;
  std::ifstream(session / "contact.txt") >> number;
  if (number != 0) remove_segments("vader_segment.", dotted({hexadecimal(number + 1), ""}));
  std::error_code none;
  fs::remove_all(session, none);
  fs::remove(all_sessions, none);  // if it is empty
}

/// Returns the number that Open MPI 5 derives from the name of a launcher. The upper 16 bits are a hash of the name; the lower 16
/// bits are 1, the number of the launcher's first job.
std::uint32_t job_number(std::string_view launcher_name) {
  std::uint32_t hash = 0;  // Jenkins's one-at-a-time hash
  for (const char c : launcher_name) {
    hash += static_cast<unsigned char>(c);
    hash += hash << 10;
    hash ^= hash >> 6;
  }
  hash += hash << 3;
  hash ^= hash >> 11;
  hash += hash << 15;
  return ((hash >> 16 ^ hash) & 0xffff) << 16 | 1;
}

/// Open MPI 5: `session` is "prterun.HOST.PID.UID".
void remove_open_mpi_5_files(const fs::path& session, const std::string& user, const std::string& launcher) {
  constexpr std::string_view begin = "prterun.";
  const std::string name = session.filename();
  const std::string end = dotted({launcher, user});
  if (name.size() <= begin.size() + end.size() || !name.starts_with(begin) || !name.ends_with(end) || !is_real_directory(session))
    return;
  const std::string host = name.substr(begin.size(), name.size() - begin.size() - end.size());
  const std::uint32_t job = job_number("prterun-" + host + "-" + launcher);
  remove_segments("sm_segment.", dotted({host, user, hexadecimal(job), ""}));
  std::error_code none;
  fs::remove_all(session, none);
}

}  // namespace

void remove_open_mpi_files(pid_t launcher) {
  const std::string user = std::to_string(::geteuid());
  const std::string number = std::to_string(launcher);
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  for (fs::directory_iterator entry(temporary, error), end; !error && entry != end; entry.increment(error)) {
    remove_open_mpi_4_files(entry->path(), user, number);
    remove_open_mpi_5_files(entry->path(), user, number);
  }
}

}  // namespace rankpool::detail

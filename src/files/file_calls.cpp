#include "files/file_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace rankpool::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_bytes_per_call = std::size_t{1} << 30;  // Linux moves at most 2 GiB in one call

/// what() of std::system_error ends in the reason; here, the remedy follows it.
class error_with_remedy : public std::system_error {
 public:
  error_with_remedy(int error, const std::string& problem, const std::string& remedy)
      : std::system_error(error, std::generic_category(), problem),
        text_(std::string(std::system_error::what()).append("; ").append(remedy)) {}
  const char* what() const noexcept override { return text_.what(); }

 private:
  std::runtime_error text_;  // unlike a string, it is copied without an exception
};

/// Calls `write(bytes)`, which returns what write(2) does, until all bytes are written.
template <class Write>
void write_all(std::span<const std::byte> bytes, const std::string& path, Write write) {
  while (!bytes.empty()) {
    const ssize_t written = write(bytes.first(std::min(bytes.size(), max_bytes_per_call)));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(errno, path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace

void fail_to_write(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), "cannot write " + path);
}

void fail_with_remedy(int error, const std::string& problem, const std::string& remedy) {
  throw error_with_remedy(error, problem, remedy);
}

void write_at(int descriptor, std::span<const std::byte> bytes, std::uint64_t offset, const std::string& path) {
  write_all(bytes, path, [&](std::span<const std::byte> some) {
    const ssize_t written = ::pwrite(descriptor, some.data(), some.size(), static_cast<off_t>(offset));
    if (written > 0) offset += static_cast<std::uint64_t>(written);
    return written;
  });
}

void append(int descriptor, std::span<const std::byte> bytes, const std::string& path) {
  write_all(bytes, path, [&](std::span<const std::byte> some) { return ::write(descriptor, some.data(), some.size()); });
}

void sync_file(int descriptor, const std::string& path) {
  if (::fsync(descriptor) != 0) fail_to_write(errno, path);
}

void sync_folder_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 && errno == EACCES) return;  // files may be created in a folder that cannot be read
  if (descriptor < 0) fail_to_write(errno, folder);
  const int error = ::fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;  // EINVAL: the file system cannot sync folders
  ::close(descriptor);
  if (error != 0) fail_to_write(error, folder);
}

int rename_file(const std::string& from, const std::string& to, bool overwrite) {
  if (overwrite) {
    struct stat status {};
    if (::lstat(to.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return EEXIST;
    return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // NFS and other file systems lack RENAME_NOREPLACE, but most of these have links, which replace nothing.
  if (::link(from.c_str(), to.c_str()) == 0) {
    ::unlink(from.c_str());
    return 0;
  }
  if (errno == EEXIST || ::access(to.c_str(), F_OK) == 0) return EEXIST;
  return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

std::string behind_links(const std::string& path) {
  constexpr int max_links = 40;  // as many as Linux follows
  fs::path found = path;
  for (int links = 0; links < max_links; ++links) {
    std::error_code error;
    const fs::path target = fs::read_symlink(found, error);
    if (error) break;
    found = found.parent_path() / target;
  }
  return found.string();
}

}  // namespace rankpool::detail

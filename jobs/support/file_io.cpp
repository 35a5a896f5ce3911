#include "support/file_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace jobs {
namespace {

constexpr std::size_t most_at_once = std::size_t{1} << 30;  // Linux transfers at most 2 GiB per call

[[noreturn]] void fail(int error, const std::string& what, const std::string& path) {
  throw file_error(error, std::generic_category(), "cannot " + what + " " + path);
}

}  // namespace

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

file file::scratch() {
  const char* folder = std::getenv("TMPDIR");
  std::string path = std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/rankpool-XXXXXX";
  const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) fail(errno, "write", path);
  ::unlink(path.c_str());
  return {path + " (a scratch file)", descriptor};
}

file::file(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(errno, "read", path_);
}

file::file(file&& other) noexcept : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

file& file::operator=(file&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

file::~file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t file::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(errno, "read", path_);
  return static_cast<std::uint64_t>(status.st_size);
}

void file::read(std::span<std::byte> into, std::uint64_t offset) const {
  while (!into.empty()) {
    const ssize_t n = ::pread(descriptor_, into.data(), std::min(into.size(), most_at_once), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno, "read", path_);
    if (n == 0) throw file_error(EIO, std::generic_category(), path_ + " ends too early, at byte " + std::to_string(offset));
    into = into.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void file::write(std::span<const std::byte> from, std::uint64_t offset) const {
  while (!from.empty()) {
    const ssize_t n = ::pwrite(descriptor_, from.data(), std::min(from.size(), most_at_once), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno, "write", path_);
    from = from.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

}  // namespace jobs

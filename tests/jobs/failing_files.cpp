// A library for LD_PRELOAD that simulates a file system with late errors:
//
// FAILING_CLOSE=n   the n-th close of a written file fails, as on a file system that delays writes until close; this also
//                   creates a file `failed-close`
// NO_RESERVING=1    reserving disk space is not supported, so that a full disk is only detected while writing
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

bool is_being_written(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return false;
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size());
  return length > 0 && std::string_view(path.data(), static_cast<std::size_t>(length)).find(".part-") != std::string_view::npos;
}

}  // namespace

extern "C" int fallocate(int descriptor, int mode, off_t offset, off_t length) {
  static const auto next = reinterpret_cast<int (*)(int, int, off_t, off_t)>(::dlsym(RTLD_NEXT, "fallocate"));
  if (std::getenv("NO_RESERVING") == nullptr) return next(descriptor, mode, offset, length);
  errno = EOPNOTSUPP;
  return -1;
}

extern "C" int close(int descriptor) {
  static const auto next = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "close"));
  static const char* const wanted = std::getenv("FAILING_CLOSE");
  static std::atomic<int> closes = 0;
  const bool fails = wanted != nullptr && is_being_written(descriptor) && ++closes == std::atoi(wanted);
  const int result = next(descriptor);
  if (!fails) return result;
  next(::open("failed-close", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  errno = EIO;
  return -1;
}

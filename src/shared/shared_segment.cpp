// Creates shared memory with memfd_create(), and maps that of another process through /proc.
#include "shared/shared_segment.hpp"

#include <rankpool/errors.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <new>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

std::string reason(int number) { return std::generic_category().message(number); }

std::byte* map_or_null(int descriptor, std::size_t size, int protection) {
  void* const at = mmap(nullptr, size, protection, MAP_SHARED, descriptor, 0);
  return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

/// The memory that the node has left, in bytes. The kernel also grants memory that it does not have, and later kills a process that
/// uses it.
std::uint64_t available_memory() {
  std::ifstream in("/proc/meminfo");
  std::uint64_t kilobytes = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string name;
    std::uint64_t value = 0;
    if (fields >> name >> value && (name == "MemAvailable:" || name == "SwapFree:")) kilobytes += value;
  }
  return kilobytes == 0 ? std::numeric_limits<std::uint64_t>::max() : kilobytes * 1024;
}

constexpr std::size_t min_checked_bytes = std::size_t{16}
                                          << 20;  // reading /proc/meminfo costs more than smaller requests are worth

/// Creates a memory file, and closes it on destruction unless it is released.
class new_memory {
 public:
  explicit new_memory(std::size_t size) : size_(size) {
    if (size >= min_checked_bytes && size > available_memory()) fail(ENOMEM);
    descriptor_ = memfd_create("rankpool-shared", MFD_CLOEXEC);
    if (descriptor_ < 0) fail(errno);
  }
  new_memory(const new_memory&) = delete;
  new_memory& operator=(const new_memory&) = delete;
  ~new_memory() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

  [[noreturn]] void fail(int number) const {
    if (number == ENOSPC || number == ENOMEM) throw std::bad_alloc();
    throw error("share: " + std::to_string(size_) + " bytes of shared memory cannot be allocated: " + reason(number));
  }

 private:
  const std::size_t size_;
  int descriptor_ = -1;
};

}  // namespace

std::shared_ptr<shared_segment> shared_segment::create(std::span<const std::byte> content) {
  new_memory memory(content.size());
  // write() is better than a copy into a mapping: the kernel does not zero pages that are overwritten as a whole, and a lack of
  // memory is an error, not a signal.
  for (std::span<const std::byte> rest = content; !rest.empty();) {
    const ssize_t written = write(memory.get(), rest.data(), rest.size());
    if (written < 0 && errno != EINTR) memory.fail(errno);
    if (written > 0) rest = rest.subspan(static_cast<std::size_t>(written));
  }
  std::byte* const data = map_or_null(memory.get(), content.size(), PROT_READ);
  if (data == nullptr) memory.fail(errno);
  return std::shared_ptr<shared_segment>(new shared_segment(memory.release(), data, content.size()));
}

std::shared_ptr<shared_segment> shared_segment::create(std::size_t size) {
  new_memory memory(size);
  // Allocates now, so that a lack of memory is an error here and not a signal later.
  if (const int failed = posix_fallocate(memory.get(), 0, static_cast<off_t>(size)); failed != 0) memory.fail(failed);
  std::byte* const data = map_or_null(memory.get(), size, PROT_READ | PROT_WRITE);
  if (data == nullptr) memory.fail(errno);
  return std::shared_ptr<shared_segment>(new shared_segment(memory.release(), data, size));
}

std::shared_ptr<shared_segment> shared_segment::map(int pid, int descriptor, std::size_t size) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(descriptor);
  const int descriptor_here = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int open_error = errno;
  std::byte* const data = descriptor_here < 0 ? nullptr : map_or_null(descriptor_here, size, PROT_READ);
  const int map_error = errno;
  if (data == nullptr) {
    if (descriptor_here >= 0) close(descriptor_here);
    if (descriptor_here >= 0 && map_error == ENOMEM) throw std::bad_alloc();
    throw error("the memory of process " + std::to_string(pid) + " on this node cannot be mapped (" +
                reason(descriptor_here < 0 ? open_error : map_error) +
                "); if each rank runs in a container of its own, set RANKPOOL_RANKS_PER_NODE=1");
  }
  return std::shared_ptr<shared_segment>(new shared_segment(descriptor_here, data, size));
}

shared_segment::~shared_segment() {
  munmap(data_, size_);
  close(descriptor_);
}

std::shared_ptr<const std::byte> aligned_copy(std::span<const std::byte> bytes) {
  constexpr std::size_t alignment = 64;
  auto* const copy = static_cast<std::byte*>(std::aligned_alloc(alignment, (bytes.size() / alignment + 1) * alignment));
  if (copy == nullptr) throw std::bad_alloc();
  std::ranges::copy(bytes, copy);
  return {copy, [](std::byte* p) { std::free(p); }};
}

}  // namespace rankpool::detail

#include "shared_segment.hpp"

#include <rankpool/errors.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
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

// Closes it again if it cannot be filled.
class new_memory {
 public:
  explicit new_memory(std::size_t size) : size_(size), descriptor_(memfd_create("rankpool-shared", MFD_CLOEXEC)) {
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
    throw error("share: " + std::to_string(size_) + " bytes of shared memory cannot be had: " + reason(number));
  }

 private:
  const std::size_t size_;
  int descriptor_;
};

}  // namespace

std::shared_ptr<shared_segment> shared_segment::create(std::span<const std::byte> content) {
  new_memory memory(content.size());
  // Written, not mapped and copied: pages that are filled as a whole need not be zeroed, and a lack of memory is an error.
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
  // Now, so that a lack of memory is an error here and no signal later.
  if (const int failed = posix_fallocate(memory.get(), 0, static_cast<off_t>(size)); failed != 0) memory.fail(failed);
  std::byte* const data = map_or_null(memory.get(), size, PROT_READ | PROT_WRITE);
  if (data == nullptr) memory.fail(errno);
  return std::shared_ptr<shared_segment>(new shared_segment(memory.release(), data, size));
}

std::shared_ptr<shared_segment> shared_segment::map(int pid, int descriptor, std::size_t size) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(descriptor);
  const int own = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int not_opened = errno;
  std::byte* const data = own < 0 ? nullptr : map_or_null(own, size, PROT_READ);
  const int not_mapped = errno;
  if (own >= 0) close(own);
  if (data == nullptr) {
    throw error("share: the memory of process " + std::to_string(pid) + " on this node cannot be mapped (" +
                reason(own < 0 ? not_opened : not_mapped) +
                "): if the ranks of a node run in containers of their own, set RANKPOOL_RANKS_PER_NODE=1");
  }
  return std::shared_ptr<shared_segment>(new shared_segment(-1, data, size));
}

shared_segment::~shared_segment() {
  munmap(data_, size_);
  if (descriptor_ >= 0) close(descriptor_);
}

std::shared_ptr<const std::byte> aligned_copy(std::span<const std::byte> bytes) {
  constexpr std::size_t alignment = 64;
  auto* const copy = static_cast<std::byte*>(std::aligned_alloc(alignment, (bytes.size() / alignment + 1) * alignment));
  if (copy == nullptr) throw std::bad_alloc();
  std::ranges::copy(bytes, copy);
  return {copy, [](std::byte* p) { std::free(p); }};
}

}  // namespace rankpool::detail

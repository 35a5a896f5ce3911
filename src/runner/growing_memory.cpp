// Defines growing_memory with memfd_create().
#include "runner/growing_memory.hpp"

#include <rankpool/errors.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <new>
#include <string>
#include <system_error>

namespace rankpool::detail {
namespace {

constexpr std::size_t least_bytes = 64 << 10;
constexpr std::size_t kept_bytes = 256 << 20;  // shrink() frees more than this

// Rounds up to an eighth of the size, so that the memory grows seldom.
std::size_t rounded(std::size_t size) {
  if (size <= least_bytes) return least_bytes;
  const std::size_t step = std::bit_floor(size) / 8;
  return (size + step - 1) / step * step;
}

[[noreturn]] void fail(const char* what, int number) {
  if (number == ENOMEM || number == ENOSPC) throw std::bad_alloc();
  throw error(std::string("memory for a runner process cannot be ") + what + ": " + std::generic_category().message(number));
}

int create(const char* name) {
  const int descriptor = memfd_create(name, MFD_CLOEXEC);
  if (descriptor < 0) fail("created", errno);
  return descriptor;
}

}  // namespace

// A file descriptor of the memory, valid for the lifetime of the object.
class growing_memory::opened {
 public:
  explicit opened(const growing_memory& memory) : is_own_(memory.pid_ == 0), descriptor_(memory.descriptor_) {
    if (is_own_) return;
    const std::string path = "/proc/" + std::to_string(memory.pid_) + "/fd/" + std::to_string(memory.descriptor_);
    descriptor_ = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor_ < 0) fail("opened", errno);
  }
  opened(const opened&) = delete;
  opened& operator=(const opened&) = delete;
  ~opened() {
    if (!is_own_) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  const bool is_own_;
  int descriptor_;
};

growing_memory::growing_memory(const char* name) : pid_(0), descriptor_(create(name)) { (void)allocate(least_bytes); }

growing_memory::growing_memory(int pid, int descriptor) : pid_(pid), descriptor_(descriptor) {
  struct stat file {};
  if (fstat(opened(*this).get(), &file) == 0) allocated_ = static_cast<std::size_t>(file.st_size);
  (void)map(least_bytes);
}

growing_memory::~growing_memory() {
  if (data_ != nullptr) munmap(data_, mapped_);
  if (pid_ == 0) close(descriptor_);
}

std::byte* growing_memory::allocate(std::size_t size) {
  if (size > allocated_) {
    const std::size_t wanted = rounded(size);
    const opened memory(*this);
    // Allocates now, so that a lack of memory is an error here and not a signal later.
    const int failed = posix_fallocate(memory.get(), static_cast<off_t>(allocated_), static_cast<off_t>(wanted - allocated_));
    if (failed != 0) fail("allocated", failed);
    allocated_ = wanted;
  }
  return map(size);
}

std::byte* growing_memory::map(std::size_t size) {
  if (pid_ == 0 && size > allocated_) {  // the other process says so, and may be damaged
    struct stat file {};
    if (fstat(descriptor_, &file) != 0 || static_cast<std::uint64_t>(file.st_size) < size) {
      throw error("memory that is shared with a runner process is smaller than the process has said");
    }
  }
  if (size <= mapped_) return data_;
  const std::size_t wanted = rounded(size);
  // Not by mremap(), which the thread sanitizer does not know.
  void* const at = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, opened(*this).get(), 0);
  if (at == MAP_FAILED) fail("mapped", errno);
  if (data_ != nullptr) munmap(data_, mapped_);
  data_ = static_cast<std::byte*>(at);
  mapped_ = wanted;
  return data_;
}

void growing_memory::shrink() {
  if (allocated_ <= kept_bytes) return;
  const opened memory(*this);
  if (ftruncate(memory.get(), least_bytes) == 0) allocated_ = least_bytes;
}

}  // namespace rankpool::detail

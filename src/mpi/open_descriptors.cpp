// Lists the descriptors of this process in /proc.
#include "mpi/open_descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

namespace rankpool::detail {
namespace {

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

}  // namespace

open_descriptors::open_descriptors() {
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    if (descriptor > STDERR_FILENO) descriptors_.push_back(descriptor);
  }
  std::erase_if(descriptors_, [](int descriptor) { return !is_open(descriptor); });  // the directory itself
}

bool open_descriptors::are_closed() const { return !descriptors_.empty() && std::ranges::none_of(descriptors_, is_open); }

}  // namespace rankpool::detail

#include "support/input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "support/usage_error.hpp"

namespace jobs {
namespace {

[[noreturn]] void refuse(const input_options& from, int error) {
  std::string reason = std::strerror(error);
  // The launcher does not pass on descriptors of the starting process, such as <(...) creates.
  if (from.path.starts_with("/dev/fd/") && error == ENOENT) reason += "; pipe it into stdin instead";
  throw usage_error(from.option + " " + from.path + " cannot be read: " + reason);
}

}  // namespace

void input_options::check() const {
  if (is_stdin()) {
    const int flags = ::fcntl(STDIN_FILENO, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_WRONLY) {  // main() opens a closed stdin for writing only
      throw usage_error("standard input cannot be read: it is closed; pipe lines in, or name a file");
    }
    return;
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) refuse(*this, errno);
  if (S_ISDIR(status.st_mode)) throw usage_error(option + " " + path + " is a folder");
  if (::access(path.c_str(), R_OK) != 0) refuse(*this, errno);
}

input::input(const input_options& from)
    : descriptor_(from.is_stdin() ? STDIN_FILENO : ::open(from.path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) refuse(from, errno);
}

input::~input() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

}  // namespace jobs

#include "exec/ordered_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace jobs {
namespace {

std::string scratch_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

[[noreturn]] void fail() {
  throw std::system_error(errno, std::generic_category(),
                          "output that waits for its turn does not fit into " + scratch_folder() + " (TMPDIR)");
}

std::size_t bytes_of(const printed& what) { return what.out.size() + what.err.size() + what.record.size(); }

}  // namespace

ordered_output::ordered_output(printer print, std::size_t most_bytes) : print_(std::move(print)), most_bytes_(most_bytes) {}

ordered_output::~ordered_output() {
  if (file_ >= 0) ::close(file_);
}

void ordered_output::add(std::uint64_t sequence, printed what) {
  if (sequence != next_) return keep(sequence, std::move(what));
  print_(what);
  ++next_;
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    print_(take(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
    ++next_;
  }
}

void ordered_output::finish() {
  for (auto& [sequence, kept] : waiting_) {
    next_ = sequence + 1;
    print_(take(kept));
  }
  waiting_.clear();
}

void ordered_output::keep(std::uint64_t sequence, printed what) {
  waiting kept;
  const std::size_t bytes = bytes_of(what);
  if (bytes_in_memory_ + bytes <= most_bytes_) {
    bytes_in_memory_ += bytes;
    kept.in_memory = std::move(what);
  } else {
    open_file();
    kept.offset = file_end_;
    kept.lengths = {what.out.size(), what.err.size(), what.record.size()};
    for (const std::string* text : {&what.out, &what.err, &what.record}) {
      for (std::size_t done = 0; done < text->size();) {
        const ssize_t n = ::pwrite(file_, text->data() + done, text->size() - done, static_cast<off_t>(file_end_));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail();
        done += static_cast<std::size_t>(n);
        file_end_ += static_cast<std::uint64_t>(n);
      }
    }
  }
  waiting_.emplace(sequence, std::move(kept));
}

printed ordered_output::take(waiting& kept) {
  if (kept.lengths == std::array<std::uint64_t, 3>{}) {
    bytes_in_memory_ -= bytes_of(kept.in_memory);
    return std::move(kept.in_memory);
  }
  printed what;
  std::uint64_t offset = kept.offset;
  std::size_t which = 0;
  for (std::string* text : {&what.out, &what.err, &what.record}) {
    text->resize(kept.lengths[which++]);
    for (std::size_t done = 0; done < text->size();) {
      const ssize_t n = ::pread(file_, text->data() + done, text->size() - done, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail();
      done += static_cast<std::size_t>(n);
      offset += static_cast<std::uint64_t>(n);
    }
  }
  return what;
}

void ordered_output::open_file() {
  if (file_ >= 0) return;
  std::string path = scratch_folder() + "/rankpool-exec-XXXXXX";
  file_ = ::mkostemp(path.data(), O_CLOEXEC);
  if (file_ < 0) fail();
  ::unlink(path.c_str());
}

}  // namespace jobs

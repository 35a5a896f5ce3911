#include "trace/event_file.hpp"

#include <rankpool/errors.hpp>

#include <zlib.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_unwritten = std::size_t{64} << 20;
constexpr std::size_t enough_to_write = std::size_t{256} << 10;
constexpr auto longest_wait = 1s;  // a killed run loses the events of this time

std::string reason_of(gzFile_s* file) {
  int number = Z_OK;
  const char* text = ::gzerror(file, &number);
  return number == Z_ERRNO || text == nullptr || *text == '\0' ? std::strerror(errno) : text;
}

}  // namespace

event_file::event_file(const std::string& path, hooks calls) : calls_(std::move(calls)) {
  // 1: the fastest compression. T: none.
  file_ = ::gzopen(path.c_str(), path.ends_with(".gz") ? "wb1e" : "wbTe");
  if (file_ == nullptr) throw error("the trace '" + path + "' cannot be created: " + std::strerror(errno));
  unwritten_ = "[";
  writer_ = std::thread([this] { write(); });
}

event_file::~event_file() { (void)close(); }

void event_file::add(std::string_view event) {
  const std::lock_guard lock(mutex_);
  if (unwritten_.size() + event.size() > most_unwritten) {
    ++dropped_;
    return;
  }
  const bool was_little = unwritten_.size() < enough_to_write;
  unwritten_.append(is_empty_ ? "\n" : ",\n").append(event);
  is_empty_ = false;
  if (was_little && unwritten_.size() >= enough_to_write) has_work_.notify_one();
}

std::string event_file::close() {
  if (!writer_.joinable()) return failure_;
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
  }
  has_work_.notify_one();
  writer_.join();
  return failure_;
}

void event_file::write() {
  std::string part;
  for (bool is_last = false; !is_last;) {
    {
      std::unique_lock lock(mutex_);
      has_work_.wait_for(lock, longest_wait, [this] { return is_closing_ || unwritten_.size() >= enough_to_write; });
    }
    calls_.prepare();
    {
      const std::lock_guard lock(mutex_);
      std::swap(part, unwritten_);
      is_last = is_closing_;
    }
    if (is_last) part += "\n]\n";
    try {
      calls_.complete(part);
    } catch (const std::exception& e) {  // no memory
      failure_ = e.what();
    }
    if (failure_.empty() && !part.empty()) {
      const bool is_written =
          ::gzwrite(file_, part.data(), static_cast<unsigned>(part.size())) > 0 && ::gzflush(file_, Z_FINISH) == Z_OK;
      if (!is_written) failure_ = reason_of(file_);
    }
    part.clear();
  }
  errno = 0;
  const int closed = ::gzclose(std::exchange(file_, nullptr));
  if (failure_.empty() && closed != Z_OK) failure_ = closed == Z_ERRNO ? std::strerror(errno) : "it could not be compressed";
}

}  // namespace rankpool::detail

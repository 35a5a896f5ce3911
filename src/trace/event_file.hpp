// A file of trace events, which a thread of its own writes.
//
// The format is the JSON array of the Trace Event Format, which Perfetto and chrome://tracing read. They also read a file whose end
// is missing, so the trace of a run that was killed is usable. A compressed file is a sequence of complete gzip members.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

struct gzFile_s;

namespace rankpool::detail {

/// Thread safety: one thread at a time, and the one that writes.
class event_file {
 public:
  /// What the thread that writes calls.
  struct hooks {
    std::function<void()> prepare = [] {};  ///< before it takes events, at least once per second; may add events
    std::function<void(std::string& events)> complete = [](std::string&) {};  ///< with the events; may change them
  };
  /// Creates the file, or replaces its contents. It is compressed if its name ends in .gz. Throws: rankpool::error.
  explicit event_file(const std::string& path, hooks calls);
  event_file(const event_file&) = delete;
  event_file& operator=(const event_file&) = delete;
  /// Closes the file.
  ~event_file();

  /// Adds an event, a JSON object. Never waits for the file: an event that does not fit in the buffer is dropped.
  void add(std::string_view event);
  /// Returns the number of events that were dropped.
  std::uint64_t dropped() {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }

  /// Writes what is unwritten, and closes the file. Returns the error of writing; empty if there was none. Later calls return
  /// the same. Blocks: until the file is written.
  std::string close();

 private:
  void write();

  const hooks calls_;
  gzFile_s* file_ = nullptr;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::string unwritten_;      // guarded by mutex_
  bool is_closing_ = false;    // likewise
  bool is_empty_ = true;       // likewise: no event was added
  std::uint64_t dropped_ = 0;  // likewise
  std::string failure_;        // the writing thread's, until it has ended
  std::thread writer_;
};

}  // namespace rankpool::detail

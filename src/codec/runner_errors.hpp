// What a worker reports of a task that has ended its process. Rank 0 decodes it as worker_lost or timeout_error, whose message
// names the task.
#pragma once

#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/errors.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace rankpool::detail {

/// A task has ended its process. Arrives as worker_lost.
class task_lost final : public std::exception {
 public:
  /// `reason`: such as "its process was ended by signal 11 (Segmentation fault)". `about`: rank 0 knows rank and host itself.
  task_lost(std::string reason, worker_lost::details about) : reason_(std::move(reason)), about_(std::move(about)) {}
  const char* what() const noexcept override { return reason_.c_str(); }
  const worker_lost::details& about() const { return about_; }

 private:
  std::string reason_;
  worker_lost::details about_;
};

/// A result that could not be read from the process that has it.
task_lost result_not_read();

/// A task has exceeded its time limit. Arrives as timeout_error.
class task_timed_out final : public std::exception {
 public:
  explicit task_timed_out(std::uint32_t milliseconds);
  const char* what() const noexcept override { return reason_.c_str(); }

 private:
  std::string reason_;
};

/// Returns the message about a task that has closed the descriptors of its rank. `rank`: such as "rank 1 (node7)".
std::string closed_descriptors_message(const std::string& rank);

/// Returns the encoding of an exception.
template <class E>
byte_buffer encoded_exception(const E& e) {
  byte_buffer bytes;
  byte_writer out(bytes);
  try {
    throw e;
  } catch (...) {
    encode_current_exception(out);
  }
  return bytes;
}

/// Encodes std::bad_alloc as task_lost from now on, because the private data of this process is limited to `bytes`.
void report_memory_limit(std::uint64_t bytes);
/// Returns whether a task has exceeded the limit.
bool has_exceeded_memory();

/// For the registry of exception types.
exception_type task_lost_type();
exception_type task_timed_out_type();

}  // namespace rankpool::detail

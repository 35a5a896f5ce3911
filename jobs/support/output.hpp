// The one way for a job to print results: a large buffer over write(2) that checks every error.
//
// A file is written under a temporary name beside the final one and takes that name in finish(); a failure, an
// exception or a signal removes it. Not for messages and progress: those go to std::cerr.
#pragma once

#include <gmpxx.h>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "support/command.hpp"

namespace jobs {

/// A result could not be written. `code()` holds errno: EPIPE when the reader of stdout has gone.
struct output_error : std::system_error {
  using std::system_error::system_error;
};

/// Where results go, as the options --output and --force say.
struct output_options {
  std::string path;    // empty: stdout
  bool force = false;  // replace a file that exists already

  /// Throws: usage_error if the file exists and `force` does not say to replace it, or its folder cannot be written.
  void check() const;
};

/// Adds --output and --force to a job.
void add_output(CLI::App& job, output_options& options);

class output {
 public:
  /// Opens stdout or a temporary beside `options.path`. Throws: output_error, usage_error as output_options::check.
  explicit output(const output_options& options = {});
  /// Removes the temporary file if finish() was not reached.
  ~output();
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  /// Appends every part, as text, number or character. Throws: output_error. Blocks: when the buffer is full.
  template <class... Parts>
  void print(const Parts&... parts) {
    (append(parts), ...);
  }

  /// Hands what is buffered to the system; use it where a reader waits for a line. Throws: output_error.
  void flush();
  /// Flushes and gives a file its final name. Call it once, when all is well. Throws: output_error.
  void finish();

 private:
  void append(std::string_view text);
  void append(char character) { append(std::string_view(&character, 1)); }
  void append(bool) = delete;
  void append(__int128 value);
  void append(unsigned __int128 value);
  void append(const mpz_class& value);
  template <std::integral Integer>
  void append(Integer value) {
    reserve(24);
    end_ = static_cast<std::size_t>(std::to_chars(&buffer_[end_], &buffer_[end_ + 24], value).ptr - &buffer_[0]);
  }

  void reserve(std::size_t bytes);  // room for a short item, flushing if need be
  void write_all(std::string_view bytes);
  [[noreturn]] void fail(int error) const;

  static constexpr std::size_t capacity_bytes = std::size_t{1} << 20;
  int descriptor_;
  std::string name_;       // for messages
  std::string path_;       // final name; empty for stdout
  std::string temporary_;  // empty for stdout and once finished
  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(capacity_bytes);
  std::size_t end_ = 0;
};

}  // namespace jobs

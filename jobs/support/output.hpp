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
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "support/command.hpp"
#include "support/unfinished_file.hpp"

namespace jobs {

/// A result could not be written. `code()` holds errno: EPIPE when the reader of stdout has gone.
struct output_error : std::system_error {
  using std::system_error::system_error;
};

/// Where results go, as the options --output and --force say.
struct output_options {
  std::string path;    // empty: stdout; a device or a pipe is written as it is
  bool force = false;  // replace a file that exists already

  /// Throws: usage_error if the file exists and `force` does not say to replace it, or its folder cannot be written.
  void check() const;
};

/// Adds --output and --force to a job.
void add_output(CLI::App& job, output_options& options);

class output {
 public:
  /// Opens stdout, or a temporary file beside `options.path`. Throws: output_error.
  explicit output(const output_options& options = {});
  /// Writes to a descriptor that the caller owns and keeps open.
  output(int descriptor, std::string name);
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
  void append(const char* text) { append(std::string_view(text)); }
  void append(char character) { append(std::string_view(&character, 1)); }
  void append(bool) = delete;
  void append(__int128 value);
  void append(unsigned __int128 value);
  void append(const mpz_class& value);
  template <std::integral Integer>
  void append(Integer value) {
    reserve(most_digits);
    char* begin = &buffer_[end_];
    end_ += static_cast<std::size_t>(std::to_chars(begin, begin + most_digits, value).ptr - begin);
  }

  void reserve(std::size_t bytes);  // room for a short item, flushing if need be
  void write_all(std::string_view bytes);
  [[noreturn]] void fail(int error) const;

  static constexpr std::size_t capacity_bytes = std::size_t{1} << 20;
  static constexpr std::size_t most_digits = 48;  // of a 128-bit number, with its sign

  std::optional<unfinished_file> file_;  // none for stdout
  int descriptor_ = -1;
  bool owned_ = false;  // a device or pipe opened here
  std::string name_;    // for messages
  bool replace_ = false;
  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(capacity_bytes);
  std::size_t end_ = 0;
};

}  // namespace jobs

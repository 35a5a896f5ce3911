// The one way for a job to print results: a large buffer over write(2) that checks every error.
//
// A file is written under a temporary name beside the final one and takes that name in finish(); a failure, an
// exception or a signal removes it. Not for messages and progress: those go to std::cerr.
#pragma once

#include <gmpxx.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "support/command.hpp"
#include "support/text.hpp"
#include "support/unfinished_file.hpp"

namespace jobs {

/// A result could not be written. `code()` holds errno: EPIPE when the reader of stdout has gone.
struct output_error : std::system_error {
  using std::system_error::system_error;
};

/// Where results go, as the options --output and --force say.
struct output_options {
  std::string path{};               // empty or "-": stdout; a device, a pipe or an open descriptor is written as it is
  bool force = false;               // replace a file that exists already
  std::string option = "--output";  // that says so, for messages
  std::string journal{};            // --journal: once it is open, what an earlier run has written may be replaced as well

  bool is_stdout() const;
  /// Nothing that could be half-written under its final name, or replaced.
  bool is_stream() const;

  /// Throws: usage_error if the file exists and `force` does not say to replace it, or its folder cannot be written.
  void check() const;
  /// Whether the file is to be replaced, with the journal open. Throws: usage_error, as check().
  bool replaces(const rankpool::journal& open) const;
  /// The same for parts_output. Throws: usage_error also for what is no file that workers can open and write anywhere.
  void check_for_parts() const;

 private:
  void check(bool may_exist) const;
};

/// Adds --output and --force to a job.
void add_output(CLI::App& job, output_options& options,
                const std::string& help = "write the results to this file instead of stdout");

class output {
 public:
  /// Opens stdout, or a temporary file beside `options.path`. Throws: output_error.
  explicit output(const output_options& options = {});
  /// The same for a job: with --json, what would go to stdout goes into its report. `context` must outlive it. Throws also
  /// usage_error for a file that is not to be replaced.
  explicit output(command_context& context, const output_options& options = {});
  /// Writes to a descriptor that the caller owns and keeps open.
  output(int descriptor, std::string name);
  /// Removes the temporary file if finish() was not reached.
  ~output();
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  /// Appends every part: numbers, characters, literals. Throws: output_error. Blocks: when the buffer is full.
  template <short_part... Parts>
  void print(const Parts&... parts) {
    constexpr std::size_t most = (most_characters<Parts> + ...);
    static_assert(most < capacity_bytes);
    if (capacity_bytes - end_ < most) flush();
    char* end = &buffer_[end_];
    ((end = put(end, parts)), ...);
    end_ = static_cast<std::size_t>(end - &buffer_[0]);
  }

  /// The same with parts of any length among them: text and mpz_class.
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
  void append(const mpz_class& value);
  template <short_part Part>
  void append(const Part& part) {
    print(part);
  }

  void write_all(std::string_view bytes);
  [[noreturn]] void fail(int error) const;

  static constexpr std::size_t capacity_bytes = std::size_t{1} << 20;

  command_context* context_ = nullptr;   // of a job that writes to stdout
  std::optional<unfinished_file> file_;  // none for stdout
  int descriptor_ = -1;
  bool owned_ = false;  // a stream opened here
  std::string name_;    // for messages
  bool replace_ = false;
  rankpool::journal journal_;
  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(capacity_bytes);
  std::size_t end_ = 0;
};

/// Prints a range of numbers as a Python list: [19, 22].
template <class Numbers>
void print_list(output& out, const Numbers& numbers) {
  const char* separator = "[";
  for (const auto& number : numbers) out.print(std::exchange(separator, ", "), number);
  out.print(*separator == '[' ? "[]" : "]");
}

}  // namespace jobs

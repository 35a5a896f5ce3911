// Writes results: a large buffer over write(2) that checks every error, and the rules for output files.
//
// A regular file is written under a temporary name beside the final one; finish() gives it the final name. A failure, an exception
// or a signal removes it. Devices, FIFOs and stdout are written directly. Messages and progress go to std::cerr instead.
//
#pragma once

#include <gmpxx.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <rankpool/rankpool.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "support/input.hpp"
#include "support/text.hpp"
#include "support/unfinished_file.hpp"
#include "support/usage_error.hpp"

namespace jobs {

class job_run;

/// A result could not be written. code() is the error number of the system: EPIPE if the reader of stdout has exited.
struct output_error : std::system_error {
  using std::system_error::system_error;
};

/// The destination of results: --output and --force, or options like them.
struct output_options {
  std::string path{};                      // empty or "-": stdout; a device, a pipe or an open descriptor is written directly
  bool force = false;                      // replace an existing file
  std::string option = "--output";         // the name of the option, for messages
  std::string journal{};                   // --journal: a file that a run with this journal wrote may be replaced, too
  bool durable = false;                    // write a regular file to the disk before it gets its name
  std::vector<std::string> may_replace{};  // inputs of the run that the output may replace; only in a run without a journal

  bool is_stdout() const;
  /// Returns true for stdout, a device, a FIFO or an open descriptor, which are written directly. All else is a regular file.
  bool is_stream() const;

  /// Checks that the output can be written. Throws: usage_error if the file exists and must not be replaced, if its folder cannot
  /// be written, or if it is the journal.
  void check() const;
  /// Returns whether an existing file is to be replaced; `open` is the open journal. Throws: usage_error, as check().
  bool replaces(const rankpool::journal& open) const;
  /// The same as check() for a file that workers write. Throws: usage_error also if it is a stream.
  void check_for_workers() const;

 private:
  void check(bool may_exist) const;
};

/// Checks that a run does not overwrite a file that it reads, and does not write two results to one file. Paths are compared by the
/// files to which they lead. Throws: usage_error that names both.
void check_distinct(const std::vector<input_options>& inputs, const std::vector<output_options>& outputs);

class output {
 public:
  /// Opens stdout, or a temporary file beside `options.path`. Throws: output_error.
  explicit output(const output_options& options = {});
  /// The same for a job: with --json, what would go to stdout goes into its report. `run` must outlive it. Throws also
  /// usage_error for a file that is not to be replaced.
  explicit output(job_run& run, const output_options& options = {});
  /// Writes to a descriptor that the caller owns and keeps open.
  output(int descriptor, std::string name);
  /// Removes the temporary file if finish() was not reached.
  ~output();

  /// Returns the path of the temporary file, which others may read or write after flush(); empty for a stream.
  std::string temporary_path() const { return file_ ? file_->path() : std::string(); }
  /// Reserves space for so many bytes in a regular file, so that a full disk is an error before the work. Throws: output_error.
  void reserve(std::uint64_t bytes);
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

  /// Writes the buffer. Use it where a reader waits for a line. Throws: output_error.
  void flush();
  /// Writes the buffer and gives a file its final name. Call it once, after success. Throws: output_error.
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

  job_run* run_ = nullptr;               // of a job that writes to stdout
  std::optional<unfinished_file> file_;  // none for a stream
  int descriptor_ = -1;
  bool owned_ = false;  // a stream opened here
  std::string name_;    // for messages
  bool replace_ = false;
  bool durable_ = false;
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

// Writes results: a large buffer over write(2) with a check of every error, and the rules for output files.
//
// A regular file has a temporary name in the same folder until finish() renames it. A failure, an exception or a signal removes
// it. Devices, FIFOs and stdout are written directly. Messages and progress go to std::cerr.
//
#pragma once

#include <gmpxx.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <rankpool/rankpool.hpp>
#include <rankpool/unfinished_file.hpp>
#include <rankpool/written_files.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "support/input.hpp"
#include "support/text.hpp"
#include "support/usage_error.hpp"

namespace jobs {

class job_run;

/// A result could not be written. code() is the system's error number: EPIPE if the reader of stdout has exited.
struct output_error : std::system_error {
  using std::system_error::system_error;
};

/// The destination of results: the values of --output and --force, or of similar options.
struct output_options {
  std::string path{};                      // empty or "-": stdout; devices, pipes and open descriptors are written directly
  bool force = false;                      // replace an existing file
  std::string option = "--output";         // name of the option, for messages
  std::string journal{};                   // --journal: files that a run with this journal wrote may be replaced, too
  std::vector<std::string> may_replace{};  // inputs that the output may replace; only in a run without a journal

  bool is_stdout() const;
  /// Returns true for stdout, a device, a FIFO or an open descriptor, which are written directly. Other paths are regular files.
  bool is_stream() const;

  /// Checks that the output can be written. Throws: usage_error if the file exists and must not be replaced, if its folder is not
  /// writable, or if it is the journal.
  void check() const;
  /// Performs check() with the open journal, which knows whether a run with it wrote an existing file. Throws: usage_error.
  void check(const rankpool::journal& open) const;
  /// Performs check() for a file that workers write. Throws: usage_error, also if the path is a stream.
  void check_for_workers() const;

 private:
  void check(bool may_exist) const;
};

/// Checks that no output overwrites an input, and that no two outputs are the same file. Compares the files that the paths refer
/// to. Throws: usage_error that names both.
void check_distinct(const std::vector<input_options>& inputs, const std::vector<output_options>& outputs);

class output {
 public:
  /// Opens stdout, or a temporary file in the folder of `options.path`. With a journal, finish() notes the file in it, and may
  /// replace a file that a run with this journal wrote. Throws: output_error.
  explicit output(const output_options& options = {}, const rankpool::journal& journal = {});
  /// Opens the output of a job. With --json, text for stdout becomes part of the report. Lifetime: `run` must outlive it. Throws:
  /// output_error; usage_error if an existing file must not be replaced.
  explicit output(job_run& run, const output_options& options = {});
  /// Writes to a descriptor that the caller owns and keeps open.
  output(int descriptor, std::string name);
  /// Removes the temporary file unless finish() succeeded.
  ~output();

  /// Returns the path of the temporary file, which other processes may read or write after flush(); empty for a stream.
  std::string temporary_path() const { return file_ ? file_->path() : std::string(); }
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  /// Appends numbers, characters and literals. Blocks: when the buffer is full. Throws: output_error.
  template <short_part... Parts>
  void print(const Parts&... parts) {
    constexpr std::size_t most = (most_characters<Parts> + ...);
    static_assert(most < capacity_bytes);
    if (capacity_bytes - end_ < most) flush();
    char* end = &buffer_[end_];
    ((end = put(end, parts)), ...);
    end_ = static_cast<std::size_t>(end - &buffer_[0]);
  }

  /// Appends parts that include text or mpz_class, of any length.
  template <class... Parts>
  void print(const Parts&... parts) {
    (append(parts), ...);
  }

  /// Writes the buffer. Call it where a reader waits for the text. Throws: output_error.
  void flush();
  /// Writes the buffer and renames a file to its final name. Call it once, after success. Throws: output_error, also if an existing
  /// file must not be replaced; journal_error.
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

  job_run* run_ = nullptr;                         // set if a job writes to stdout
  std::optional<rankpool::unfinished_file> file_;  // empty for a stream
  int descriptor_ = -1;
  bool owned_ = false;  // the descriptor was opened here
  std::string name_;    // for messages
  bool force_ = false;
  rankpool::written_files written_;
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

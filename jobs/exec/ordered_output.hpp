// Restores the order of the input for the output of commands, in bounded memory.
//
// A long command delays the printing of later commands, but not their execution. Their output waits in memory, and beyond a limit
// in unnamed temporary files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "support/file_io.hpp"

namespace jobs {

/// The output of a command for three destinations.
struct printed {
  std::string out;
  std::string err;
  std::string record;
};

class ordered_output {
 public:
  using printer = std::function<void(const printed&)>;

  /// `most_bytes` limits waiting output in memory. A file of `file_bytes` is full; it is deleted when its output is printed.
  explicit ordered_output(printer print, std::size_t most_bytes = std::size_t{64} << 20,
                          std::uint64_t file_bytes = std::uint64_t{1} << 30);

  /// Prints the output after all earlier numbers, which begin with 1. Throws: output_error, file_error, and what `print` throws.
  void add(std::uint64_t sequence, printed what);
  /// Prints all waiting output in order, and skips missing numbers.
  void finish();
  /// Returns the number to be printed next.
  std::uint64_t next() const { return next_; }

 private:
  struct waiting {
    printed in_memory;
    std::shared_ptr<file> on_disk;  // null: the output is in memory
    std::uint64_t offset = 0;
    std::array<std::uint64_t, 3> lengths{};
  };

  void write(waiting& kept, const printed& what);
  void keep(std::uint64_t sequence, printed what);
  printed take(waiting& kept);

  printer print_;
  std::size_t most_bytes_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, waiting> waiting_;
  std::size_t bytes_in_memory_ = 0;
  std::uint64_t file_bytes_;
  std::weak_ptr<file> file_;  // the newest file; expired when no output is left in it
  std::uint64_t file_end_ = 0;
};

}  // namespace jobs

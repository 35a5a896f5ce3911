// What commands have printed, put into the order of the input again, in bounded memory.
//
// A command that takes long holds up the printing of those after it, not their running. What is done meanwhile waits in
// memory, and beyond a few MiB in files that have no name.
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

/// Three texts for three places.
struct printed {
  std::string out;
  std::string err;
  std::string record;
};

class ordered_output {
 public:
  using printer = std::function<void(const printed&)>;

  /// `most_bytes`: what may wait in memory. `file_bytes`: then another file is begun, so that one is gone with its last output.
  explicit ordered_output(printer print, std::size_t most_bytes = std::size_t{64} << 20,
                          std::uint64_t file_bytes = std::uint64_t{1} << 30);

  /// Prints it when all before it have been; numbers begin with 1. Throws: output_error, file_error, and what `print` throws.
  void add(std::uint64_t sequence, printed what);
  /// Prints all that waits, in order, past numbers that will not come.
  void finish();
  /// The number that is to be printed next.
  std::uint64_t next() const { return next_; }

 private:
  struct waiting {
    printed in_memory;
    std::shared_ptr<file> on_disk;  // null: it is in memory
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
  std::weak_ptr<file> file_;  // the latest, while anything waits in it
  std::uint64_t file_end_ = 0;
};

}  // namespace jobs

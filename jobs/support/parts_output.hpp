// A result file that workers write, each its own parts: rank 0 makes it with its full size, under a temporary name, and
// names it when all parts are there. The path must be one that every node sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "support/file_io.hpp"
#include "support/output.hpp"
#include "support/unfinished_file.hpp"

namespace jobs {

class parts_output {
 public:
  /// Reserves `bytes` beside `options.path`, so that a full disk is found out now. With a journal the file is the one that earlier
  /// runs have written parts of. Throws: output_error.
  parts_output(command_context& context, const output_options& options, std::uint64_t bytes);

  /// Of the file while it is written: workers open it with file::mode::write.
  const std::string& path() const { return unfinished_.path(); }
  /// Throws: file_error.
  void write(std::span<const std::byte> from, std::uint64_t offset) const { parts_.write(from, offset); }
  /// It is not wanted any more, whatever it was kept for.
  void discard() { unfinished_.discard(); }
  /// All parts are written: gives the file its name. Throws: output_error.
  void finish();

 private:
  const std::string name_;
  const bool replace_;
  unfinished_file unfinished_;
  file parts_;
};

}  // namespace jobs

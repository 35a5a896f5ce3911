// Events between rank 0 and its tasks: gates, at which tasks wait, and marks, which tasks create.
//
// A task has no access to the memory of rank 0. Gates and marks are therefore files on the node that all ranks of a test share.
// They do not depend on timing.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "support/scratch_directory.hpp"

namespace support {

/// Blocks the tasks that call `pass` with its path until rank 0 calls open(), or until the gate is destroyed.
/// In an inline cluster it is open from the start, because one process cannot both wait and open.
class gate {
 public:
  gate();
  ~gate() { open(); }
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  std::string path() const { return directory_.file("open"); }
  void open();

 private:
  scratch_directory directory_;
};

// Tasks.

/// Waits for the gate at `path`, then returns `value`. Throws: std::runtime_error after 20 s.
int pass(const std::string& path, int value);

/// Creates a file at `path`. Returns whether it did not exist before.
bool leave_mark(const std::string& path);

/// Creates a file at `mark`, then waits for the gate at `path` and returns `value`.
int mark_and_pass(const std::string& mark, const std::string& path, int value);

// For rank 0.

/// Waits until `condition` is true. Returns false if it is not true within `limit`.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace support

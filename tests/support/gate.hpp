// Events between rank 0 and its tasks: gates that hold tasks back, and marks that tasks leave behind.
//
// Why: a task sees nothing of rank 0's memory, so tests that need "while that task is running" use files on the
// node that all ranks of a test share. Nothing here relies on how long anything takes.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "support/scratch_directory.hpp"

namespace support {

/// Holds back the tasks that call `pass` with its path until rank 0 opens it, by hand or at the end of its scope.
/// In an inline cluster it is open from the start: there, one process cannot both wait and open.
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

/// Waits for the gate at `path`, then returns `value`. Throws std::runtime_error after 20 s.
int pass(const std::string& path, int value);

/// Leaves a file at `path`, and returns whether there was none before.
bool leave_mark(const std::string& path);

/// Leaves a file at `mark`, then waits for the gate at `path` and returns `value`.
int mark_and_pass(const std::string& mark, const std::string& path, int value);

// For rank 0.

/// Whether `condition` comes true within `limit`.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace support

// What a job reads as a stream: a file, or stdin. It is looked at before the run and opened by the run alone, because a pipe can
// be opened once.
#pragma once

#include <string>

namespace jobs {

/// Where a job reads from, as an option or argument says.
struct input_options {
  std::string path;    // empty or "-": stdin
  std::string option;  // that says so, for messages

  bool is_stdin() const { return path.empty() || path == "-"; }
  std::string name() const { return is_stdin() ? "standard input" : path; }
  /// Throws: usage_error if it cannot be read.
  void check() const;
};

/// An open input.
class input {
 public:
  /// Throws: usage_error.
  explicit input(const input_options& from);
  ~input();
  input(const input&) = delete;
  input& operator=(const input&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace jobs

// The input stream of a job: a file or stdin. Before the run it is only checked; only the run opens it, because a pipe can be
// opened only once.
#pragma once

#include <string>

namespace jobs {

/// The input of a job, as an option or argument gives it.
struct input_options {
  std::string path;    // empty or "-": stdin
  std::string option;  // the option or argument that gives it, for messages

  bool is_stdin() const { return path.empty() || path == "-"; }
  std::string name() const { return is_stdin() ? "standard input" : path; }
  /// Checks that the input can be read. Throws: usage_error.
  void check() const;
};

/// An open input stream.
class input {
 public:
  /// Opens the input. Throws: usage_error.
  explicit input(const input_options& from);
  ~input();
  input(const input&) = delete;
  input& operator=(const input&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace jobs

// result_files: files that tasks write whole, one file per task.
//
//   rankpool::file_version shrink(const std::string& picture, const rankpool::item_target& to) {
//     rankpool::item_file file(to);
//     file.write(shrunk(picture));
//     return file.finish();
//   }
//   // ... on rank 0
//   rankpool::journal kept("pictures.journal");
//   rankpool::executor pool(cluster, {.journal = kept});
//   rankpool::result_files results(kept);
//   std::vector<rankpool::item_target> targets;
//   std::vector<rankpool::future<rankpool::file_version>> tasks;
//   for (const std::string& picture : pictures) {
//     targets.push_back(results.target("small/" + picture, picture));
//     tasks.push_back(pool.submit(shrink, picture, targets.back()));
//   }
//   for (std::size_t i = 0; i < tasks.size(); ++i) {
//     while (!results.accept(targets[i], tasks[i].result())) {  // the journal has the task, but its file is gone: run it again
//       tasks[i] = pool.submit(shrink, pictures[i], targets[i]);
//     }
//   }
//   results.finish();
#pragma once

#include <rankpool/unfinished_file.hpp>
#include <rankpool/written_files.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace rankpool {

/// What a task needs to write its file: a small value, for an argument. With a journal, it is the same in every run as long as the
/// input is the same, so that the journal recognises the task.
class item_target {
 public:
  /// Constructs a target without a file.
  item_target() = default;

  /// Returns the final path; empty without a file.
  const std::string& path() const { return path_; }
  /// Returns whether the file is on the disk before its task counts as finished: there is a journal.
  bool is_durable() const { return !temporary_path_.empty(); }
  /// Returns the version of the task's input when the target was made; file_version() without a journal or an input.
  const file_version& input() const { return input_; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& path_& temporary_path_& input_& overwrite_;
  }

 private:
  friend class result_files;
  friend class item_file;

  std::string path_;
  std::string temporary_path_;  // which the task gives to its finished file; empty: the task gives it the final one
  file_version input_{};
  bool overwrite_ = false;
};

/// The file of one task, which writes it from beginning to end. A task that fails leaves no file, and is run again by a later run
/// like any failed task.
///
/// Errors are std::system_error with the operating system's error number.
///
/// Thread safety: one thread at a time uses an object.
class item_file {
 public:
  /// Creates a temporary file.
  /// Throws: std::system_error.
  explicit item_file(const item_target& target);

  /// Appends `bytes`. Each call is a system call, so a task should collect small pieces.
  /// Throws: std::system_error.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Returns the path of the file that has what was written so far. It is valid until finish().
  const std::string& temporary_path() const { return file_.path(); }

  /// Completes the file and returns its version, which the task returns to rank 0. Without a journal, the file has its final name
  /// then. With a journal, it has a name that later runs know, and result_files::accept() gives it the final one.
  /// Throws: std::system_error: EEXIST if the final name is taken, without a journal.
  /// Blocks: with a journal, until the file is on the disk.
  file_version finish();

 private:
  item_target target_;
  unfinished_file file_;
};

struct result_files_options {
  bool overwrite =
      false;  // replace regular files that exist; default: only those that a run with the journal wrote (written_files)
};

/// Names the files that tasks write one by one; rank 0 owns it. A journal may lose the tasks of the last second when its run is
/// killed, and files may be removed or edited between two runs. With result_files, a task that the journal knows has its file, or
/// is run again; and files of other programs are not overwritten.
///
/// With a journal, rank 0 gives a file its final name after the journal has its task and a note of the file on the disk. It does so
/// for many files at once, about every half second. Without a journal, tasks name their files themselves.
///
/// Use one object per journal and run: it removes temporary files that killed tasks of earlier runs left beside its files.
///
/// Thread safety: one thread at a time uses an object.
class result_files {
 public:
  /// `kept` is the journal of the tasks; journal() if they have none.
  /// Throws: journal_error.
  explicit result_files(const journal& kept = {}, const result_files_options& options = {});

  /// Returns what a task needs to write the file `path`. `input` is the path of a file that the task reads: after it is modified,
  /// the target is another one, so the journal does not restore the task. Empty: none.
  item_target target(const std::string& path, const std::string& input = {});

  /// Returns whether the final name belongs to a file that must not be overwritten: written_files::is_taken(). Ask it before the
  /// task is submitted, to save the work.
  /// Throws: journal_error.
  bool is_taken(const item_target& target);

  /// Called with an empty error code once the file has its final name, otherwise with the reason why it cannot get that name:
  /// EEXIST if the name is taken, ESTALE if the file was changed or removed after accept().
  using named_function = std::function<void(std::error_code)>;

  /// Takes over a file that a task wrote, in this run or an earlier one; `written` is what item_file::finish() returned. The file
  /// gets its final name soon, and then `named` is called. Without `named`, finish() throws the first error.
  /// Returns false if the file has been removed or edited: then nothing happens. Submit the same task again; each result that the
  /// journal has of it is restored once, and after the last one the task runs.
  /// Throws: journal_error.
  /// Blocks: if files are named now, until the journal and the names are on the disk.
  [[nodiscard]] bool accept(const item_target& target, const file_version& written, named_function named = {});

  /// Gives all accepted files their final names. The destructor does not do this: then a later run names them.
  /// Throws: journal_error. std::system_error for the first file that could not be named and has no `named` function.
  /// Blocks: until the journal and the names are on the disk.
  void finish();

 private:
  struct accepted_file {
    item_target target;
    file_version version;
    named_function named;
  };

  void name_accepted();
  std::error_code name(const accepted_file& file);
  void remove_remains(const std::string& folder);

  journal journal_;
  written_files written_;
  bool overwrite_;
  std::string suffix_;             // of a temporary file; empty without a journal
  std::set<std::string> folders_;  // whose remains have been removed
  std::vector<accepted_file> accepted_;
  std::chrono::steady_clock::time_point last_naming_ = std::chrono::steady_clock::now();
  std::error_code first_error_;
  std::string first_failed_;
};

}  // namespace rankpool

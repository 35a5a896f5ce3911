// result_file: one file of which each task writes its own parts.
//
//   void fill(const rankpool::result_writer& file, std::uint64_t first, std::uint64_t count) {
//     const std::vector<double> numbers = computed(first, count);
//     file.write(std::as_bytes(std::span(numbers)), first * sizeof(double));
//   }
//   // ... on rank 0
//   rankpool::journal kept("numbers.journal");
//   rankpool::executor pool(cluster, {.journal = kept});
//   rankpool::result_file file(kept, "numbers.raw", count * sizeof(double));
//   if (!file.is_finished()) {
//     for ([[maybe_unused]] auto&& done : pool.starmap(rankpool::partial(fill, file.writer()), parts)) {
//     }
//     file.finish();
//   }
#pragma once

#include <rankpool/unfinished_file.hpp>
#include <rankpool/written_files.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace rankpool {

/// What a task needs to write parts of a result_file: a small value, for an argument. With a journal it is the same in every run,
/// so it may be part of a task that a journal recognises.
///
/// Thread safety: any thread may call any member. Tasks may write parts at the same time; where parts overlap, either may win.
class result_writer {
 public:
  /// Constructs a writer of no file.
  result_writer() = default;

  /// Returns the temporary path of the file, which tasks may read as well.
  const std::string& path() const { return path_; }

  /// Writes `bytes` at `offset`, in bytes from the beginning of the file. For several parts in one task use result_part.
  /// Throws: std::system_error that names the file. The task must let it pass, so that it counts as failed.
  /// Blocks: with a journal, until the bytes are on the disk.
  void write(std::span<const std::byte> bytes, std::uint64_t offset) const;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& path_& is_durable_;
  }

 private:
  friend class result_file;
  friend class result_part;

  std::string path_;
  bool is_durable_ = false;  // parts are on the disk before their tasks are finished
};

/// A result_file that a task has opened to write several parts.
///
/// Thread safety: any thread may call write().
class result_part {
 public:
  /// Throws: std::system_error if the file cannot be opened.
  explicit result_part(const result_writer& file);
  /// Closes the file. Without finish(), errors remain unknown.
  ~result_part();
  result_part(const result_part&) = delete;
  result_part& operator=(const result_part&) = delete;

  int descriptor() const { return descriptor_; }

  /// Writes `bytes` at `offset`, in bytes from the beginning of the file.
  /// Throws: std::system_error.
  void write(std::span<const std::byte> bytes, std::uint64_t offset) const;

  /// Closes the file. Call it before the task returns: only then its parts are complete.
  /// Throws: std::system_error; some file systems report a full disk only here.
  /// Blocks: with a journal, until the bytes are on the disk.
  void finish();

 private:
  std::string path_;
  bool is_durable_;
  int descriptor_ = -1;
};

struct result_file_options {
  bool overwrite = false;  // replace a regular file that exists; default: only if a run with the journal wrote it (written_files)
  std::string name = "result";  // identifies the file within its journal; files of one journal need different names
};

/// A file of known size that tasks write in parts; rank 0 owns it. It has a temporary name until finish() gives it the final one,
/// so a file with the final name is complete. Its path must lead to the same file on every node.
///
/// - Without a journal, whatever ends the run early removes the file, as unfinished_file describes.
/// - With a journal, each part is on the disk before its task counts as finished. The temporary file remains until a run with the
///   journal finishes it. Its name ends in ".part-" and a random number, which is the same in all runs with the journal. A later
///   run writes the missing parts; once the file is finished, is_finished() is true.
///
/// Errors are std::system_error with the operating system's error number, unless stated otherwise.
///
/// Thread safety: one thread at a time uses an object; its writers are independent of it.
class result_file {
 public:
  /// Reserves `size_bytes` bytes for the file, so that a full disk is found now. `kept` is the journal of the tasks that write it;
  /// journal() if they have none.
  /// Throws: std::system_error: EEXIST if written_files::is_taken(path); ENOENT if an earlier run with the journal wrote parts and
  /// the file with them is gone; ESTALE if it has another size than this run wants. std::invalid_argument if an earlier run with
  /// the journal wrote parts of this file for another path. journal_error.
  result_file(const journal& kept, const std::string& path, std::uint64_t size_bytes, const result_file_options& options = {});
  /// Removes a file that is not finished, unless it is kept for a later run with the journal.
  ~result_file();
  result_file(result_file&&) noexcept;
  result_file& operator=(result_file&&) noexcept;

  /// Returns whether the file has its final name: this run or an earlier one with the journal has finished it.
  bool is_finished() const { return file_ == nullptr; }

  /// Returns the path under which the contents can be read now: the temporary path, or the final one of a finished file.
  const std::string& path() const { return file_ == nullptr ? final_path_ : file_->path(); }

  /// Returns what tasks need to write parts.
  /// Throws: std::logic_error if the file is finished.
  result_writer writer() const;

  /// Writes a part on rank 0, such as a header: `bytes` at `offset`, in bytes from the beginning of the file.
  /// Throws: std::system_error. std::logic_error if the file is finished.
  void write(std::span<const std::byte> bytes, std::uint64_t offset);

  /// Gives the file its final name. Call it when every task that writes parts has returned.
  /// Throws: std::system_error: EEXIST if somebody else's file has taken the name in the meantime. journal_error.
  /// Blocks: until the contents are on the disk; with a journal, also the journal and the name.
  void finish();

  /// Removes the file when the object is destroyed, even if it was kept for a later run with the journal.
  void discard();

  /// Removes the temporary file that an earlier run with the journal left under this path and name, if any. Use it for a file of
  /// intermediate results that no task needs any more.
  static void remove_unfinished(const journal& kept, const std::string& path, const std::string& name);

 private:
  std::string final_path_;
  bool overwrite_;
  written_files written_;
  std::unique_ptr<unfinished_file> file_;  // none: finished
};

}  // namespace rankpool

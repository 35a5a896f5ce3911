// The results of pictures in a run with a journal.
//
// A task writes its result under a name that is the same in every run. Rank 0 gives it its final name once the journal has the task
// on the disk. So a picture that the journal calls done exists, or is processed again. The journal also has which files its runs
// have named: those may be replaced by a later run, and files of anybody else only with --force.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "image/picture_task.hpp"
#include "engine/job_run.hpp"

namespace jobs {

class picture_results {
 public:
  /// `replaces`: also files that no run with the journal has named.
  picture_results(const job_run& run, bool replaces);

  /// Completes what the journal knows a picture by. Without a journal, it does nothing.
  void prepare(picture_files& files) const;
  /// Removes what killed tasks of earlier runs have left beside these results.
  void remove_remains(const std::vector<picture_files>& pictures) const;

  enum class state {
    named,       ///< the result has its final name
    unfinished,  ///< it has the name that its task gave it
    lost,        ///< removed, or changed by somebody
  };
  state state_of(const picture_files& files, const picture_result& result) const;
  /// Returns whether the final name belongs to a file that must not be replaced. A device or a FIFO is written and not replaced.
  bool is_taken(const picture_files& files) const;
  /// Returns whether a file of the final name may be replaced.
  bool may_replace(const picture_files& files) const;

  using named_function = std::function<void(const std::string& problem)>;
  /// Gives an unfinished result its final name soon, and then calls `named`: with an empty text, or with why it cannot be named.
  void name(const picture_files& files, const picture_result& result, named_function named);
  /// Does so now. Throws: journal_error. Blocks: until the journal and the names are on the disk.
  void name_all();
  using versions = std::vector<std::pair<std::string, file_version>>;
  /// Notes that files of these versions, written by this run, are about to get these final names. Throws: journal_error.
  void note(const versions& named);

 private:
  struct unnamed_result {
    picture_files files;
    file_version version;
    named_function named;
  };

  rankpool::journal journal_;
  bool replaces_;
  std::string suffix_;                                      // of an unfinished file; empty without a journal
  std::map<std::string, std::vector<file_version>> named_;  // by runs with the journal, by final name
  std::size_t notes_ = 0;                                   // of the journal that say so
  std::vector<unnamed_result> unnamed_;
  std::chrono::steady_clock::time_point last_naming_ = std::chrono::steady_clock::now();
};

/// The message for a picture whose final name is_taken().
std::string result_exists(const picture_files& files);

}  // namespace jobs

// The results of whole pictures in a run with a journal. A task writes its result under a name that is the same in every run, and
// rank 0 gives it its final name once the journal has the task on the disk. So a picture that the journal calls done exists, or is
// processed again, and no file is replaced that anybody else has written.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "image/picture_task.hpp"
#include "support/command.hpp"

namespace jobs {

class picture_results {
 public:
  /// `replaces`: also files that anybody else has written.
  picture_results(const command_context& context, bool replaces);

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
  /// Returns whether a file that must not be replaced has the final name.
  bool is_taken(const picture_files& files) const;

  /// Gives an unfinished result its final name soon, and then calls `named`, with the reason if it cannot be named.
  void name(picture_files files, std::function<void(const std::string& problem)> named);
  /// Does so now. Throws: journal_error. Blocks: until the journal and the names are on the disk.
  void name_all();

 private:
  rankpool::journal journal_;
  bool replaces_;
  std::string suffix_;  // of an unfinished file; empty without a journal
  std::vector<std::pair<picture_files, std::function<void(const std::string&)>>> unnamed_;
  std::chrono::steady_clock::time_point named_ = std::chrono::steady_clock::now();
};

}  // namespace jobs

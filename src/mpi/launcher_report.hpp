// Removes Open MPI's reports of failed ranks from the output of its launcher.
//
// Open MPI 4 writes a line about an error of its own when a rank ends and others run on.
// Open MPI 5 writes a report of several lines when a rank ends with a status or by a signal, and has no option against it. The
// report shares the launcher's stderr with the output of the workers. rankpool prints a message of its own. With fault tolerance, a
// rank also warns that shared windows are not tested after failures; rankpool does not use them for MPI's calls. A null byte
// follows some reports. When the run is stopped, the launcher may also write warnings of its event library, of one line each.
#pragma once

#include <string>
#include <string_view>

namespace rankpool::detail {

class launcher_report_filter {
 public:
  /// Takes the next part of the launcher's stderr, and returns all text that is not part of a report and was not returned before.
  /// Keeps back only the last characters, if they could be the begin of a report.
  std::string pass(std::string_view input);
  /// Returns the text that was kept back. Call it at the end of the input.
  std::string finish();

 private:
  std::string kept_;
  std::string_view end_;            // the end marker of the current report; empty outside of a report
  bool may_follow_report_ = false;  // a null byte
};

}  // namespace rankpool::detail

// Notices that a task has closed all descriptors of its process, as close_range() does. MPI cannot end without its connections.
#pragma once

#include <vector>

namespace rankpool::detail {

class open_descriptors {
 public:
  /// Remembers the descriptors that are open now, without the standard streams.
  open_descriptors();
  /// Returns whether all of them are closed. MPI keeps some open, so a program that closes only its own never closes all.
  bool are_closed() const;

 private:
  std::vector<int> descriptors_;
};

}  // namespace rankpool::detail

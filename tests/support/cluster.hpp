// The cluster that the test program runs on, for tests, which Catch2 calls without arguments.
#pragma once

#include <rankpool/rankpool.hpp>

namespace support {

/// The cluster given to this program by `rankpool::run`. Throws std::logic_error outside of it.
rankpool::cluster& cluster();

/// Whether tasks run in this very process, as they do with RANKPOOL_WORKERS=0. A test that makes sense on ranks
/// alone carries the tag [ranks] and is left out there; this is for the few that differ in one line.
bool is_inline();

/// Whether the workers are threads of this process. A test of what separate processes keep apart carries the tag
/// [processes] and is left out there.
bool are_threads();

/// The number of workers in the cluster: at least one, inline too.
int workers();

/// Makes `cluster` the one that tests see, for as long as it lives.
class cluster_scope {
 public:
  explicit cluster_scope(rankpool::cluster& cluster);
  ~cluster_scope();
  cluster_scope(const cluster_scope&) = delete;
  cluster_scope& operator=(const cluster_scope&) = delete;
};

}  // namespace support

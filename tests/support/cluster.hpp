// Gives tests access to the cluster that the test program runs on. Catch2 calls tests without arguments.
#pragma once

#include <rankpool/rankpool.hpp>

namespace support {

/// Returns the cluster that `rankpool::run` has passed to the test program. Throws: std::logic_error outside of the program.
rankpool::cluster& cluster();

/// Returns whether tasks run in this process, as with RANKPOOL_WORKERS=0. A test that needs ranks has the tag [ranks] and is not
/// run inline. This function is for tests that differ only in a detail.
bool is_inline();

/// Returns whether the workers are threads of this process. A test that needs separate processes has the tag [processes] and is not
/// run on threads.
bool are_threads();

/// Returns the number of workers of the cluster, which is 1 inline.
int workers();

/// Makes support::cluster() return `cluster` during its lifetime.
class cluster_scope {
 public:
  explicit cluster_scope(rankpool::cluster& cluster);
  ~cluster_scope();
  cluster_scope(const cluster_scope&) = delete;
  cluster_scope& operator=(const cluster_scope&) = delete;
};

}  // namespace support

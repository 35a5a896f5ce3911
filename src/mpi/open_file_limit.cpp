// Computes how many files a launcher opens, and raises the limit of open files of this process accordingly.
#include "mpi/open_file_limit.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

namespace rankpool::detail {
namespace {

// Measured with mpirun of Open MPI 4.1.4 on one node: it opens 44 files for 4 ranks, 92 for 16, and 186 for 40. It hangs if the
// limit is lower. Each rank opens 18 files of its own.
constexpr rlim_t files_per_rank = 4;
constexpr rlim_t files_of_launcher = 40;  // 28 of its own, and files that it inherits
constexpr rlim_t safety_factor = 2;       // other versions may need more files than were measured

/// Returns whether the launcher may start the ranks on more than one node. Each node has a limit of its own.
bool has_several_nodes() {
  const char* nodes = std::getenv("SLURM_JOB_NUM_NODES");
  return nodes != nullptr && std::atoi(nodes) > 1;
}

}  // namespace

std::string raise_open_file_limit(int ranks) {
  const rlim_t required = files_of_launcher + static_cast<rlim_t>(ranks) * files_per_rank;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  if (limit.rlim_max < required && !has_several_nodes()) {
    return "starting " + std::to_string(ranks) + " ranks on one node requires " + std::to_string(required) +
           " open files, but the limit is " + std::to_string(limit.rlim_max) + ": raise it with 'ulimit -Hn " +
           std::to_string(required * safety_factor) + "' as root, or start at most " +
           std::to_string(limit.rlim_max < files_of_launcher ? 0 : (limit.rlim_max - files_of_launcher) / files_per_rank - 1) +
           " workers with RANKPOOL_WORKERS=n";
  }
  if (const rlim_t wanted = std::min(required * safety_factor, limit.rlim_max); limit.rlim_cur < wanted) {
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  return {};
}

}  // namespace rankpool::detail

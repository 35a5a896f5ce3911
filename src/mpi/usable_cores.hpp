// How many workers a node can keep busy: its cores, or fewer if a container limits CPU time.
#pragma once

#include <filesystem>

namespace rankpool::detail {

/// Returns the number of cores that this process may use, at least 1: those of its CPU affinity, or fewer if a control group
/// limits its CPU time. A fraction of a core counts as a core.
int usable_cores();

/// Returns the number of cores of this node, whatever this process may use.
int cores_of_node();

/// Returns the CPU seconds per second that the control groups of this process allow (versions 1 and 2), infinity without a limit.
/// The lowest limit of the process's group and the groups above it applies. `root`: the directory that contains /proc and /sys.
double cpu_quota(const std::filesystem::path& root = "/");

}  // namespace rankpool::detail

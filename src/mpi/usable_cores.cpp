// Reads CPU affinity and the CPU limits of control groups, versions 1 and 2.
#include "mpi/usable_cores.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rankpool::detail {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// A hierarchy of control groups that can limit CPU time.
struct hierarchy {
  bool unified = false;  // version 2
  fs::path mount_point;
  fs::path root;  // the group that the mount point shows
};

bool lists_cpu(const std::string& options) {
  std::istringstream list(options);
  for (std::string option; std::getline(list, option, ',');) {
    if (option == "cpu") return true;
  }
  return false;
}

/// Decodes a name from /proc, where "\040" is a space.
std::string unescaped(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && i + 3 < name.size()) {
      text += static_cast<char>((name[i + 1] - '0') * 64 + (name[i + 2] - '0') * 8 + (name[i + 3] - '0'));
      i += 3;
    } else {
      text += name[i];
    }
  }
  return text;
}

std::vector<hierarchy> mounted_hierarchies(const fs::path& root) {
  std::vector<hierarchy> found;
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // ID PARENT DEVICE ROOT MOUNT_POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS
    std::istringstream words(line);
    std::string skipped, group, mount_point, type, options;
    words >> skipped >> skipped >> skipped >> group >> mount_point;
    while (words >> skipped && skipped != "-") {
    }
    words >> type >> skipped >> options;
    const bool unified = type == "cgroup2";
    if (unified || (type == "cgroup" && lists_cpu(options))) found.push_back({unified, unescaped(mount_point), unescaped(group)});
  }
  return found;
}

/// Returns the CPU limit of one control group, in cores.
double limit_of(const fs::path& group, bool unified) {
  double quota = 0;
  double period = 0;
  if (unified) {
    std::ifstream(group / "cpu.max") >> quota >> period;  // "max 100000" reads as no number
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;  // -1: none
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : unlimited;
}

/// Returns the lowest limit of a group and of the groups above it that are visible below `root`.
double lowest_limit(const fs::path& root, const hierarchy& seen, const fs::path& group) {
  fs::path below = group.lexically_relative(seen.root);
  if (below.empty() || *below.begin() == "..") below = ".";  // in another namespace: take the group at the mount point
  fs::path at = root / seen.mount_point.relative_path();
  double lowest = limit_of(at, seen.unified);
  for (const fs::path& name : below) {
    at /= name;
    lowest = std::min(lowest, limit_of(at, seen.unified));
  }
  return lowest;
}

}  // namespace

int cores_of_node() { return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)); }

double cpu_quota(const fs::path& root) {
  const std::vector<hierarchy> hierarchies = mounted_hierarchies(root);
  double lowest = unlimited;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "NUMBER:CONTROLLERS:GROUP"; version 2 names no controllers
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !lists_cpu(controllers)) continue;
    for (const hierarchy& seen : hierarchies) {
      if (seen.unified == controllers.empty()) lowest = std::min(lowest, lowest_limit(root, seen, line.substr(second + 1)));
    }
  }
  return lowest;
}

int usable_cores() {
  cpu_set_t set;
  int cores = 0;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    cores = CPU_COUNT(&set);
  } else {
    cores = static_cast<int>(std::thread::hardware_concurrency());
  }
  return std::max(1, static_cast<int>(std::min<double>(cores, std::ceil(cpu_quota()))));
}

}  // namespace rankpool::detail

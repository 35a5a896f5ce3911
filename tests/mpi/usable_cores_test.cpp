// Limits of CPU time, read from test copies of /proc and /sys.
#include "mpi/usable_cores.hpp"

#include "support/catch.hpp"
#include "support/scratch_directory.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace {

namespace fs = std::filesystem;

constexpr double no_limit = std::numeric_limits<double>::infinity();
const std::string version_1 = "31 30 0:28 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n";
const std::string version_2 = "24 1 0:20 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n";

/// The root file system of a simulated machine.
struct machine {
  support::scratch_directory root;

  void write(const std::string& name, const std::string& content) const {
    const fs::path file = fs::path(root.path()) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  double quota() const { return rankpool::detail::cpu_quota(root.path()); }
};

}  // namespace

TEST_CASE("without control groups there is no limit") {
  const machine m;
  CHECK(m.quota() == no_limit);
}

TEST_CASE("cpu.max limits its group and those below it") {
  const machine m;
  m.write("proc/self/mountinfo", version_2);
  m.write("proc/self/cgroup", "0::/a/b\n");
  m.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  CHECK(m.quota() == no_limit);
  m.write("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  CHECK(m.quota() == 1.5);
  m.write("sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  CHECK(m.quota() == 0.5);
  m.write("sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
  CHECK(m.quota() == 1.5);
  m.write("sys/fs/cgroup/a/c/cpu.max", "10000 100000\n");
  CHECK(m.quota() == 1.5);
}

TEST_CASE("cpu.max at the root of a container limits it") {
  const machine m;
  m.write("proc/self/mountinfo", version_2);
  m.write("proc/self/cgroup", "0::/\n");
  m.write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  CHECK(m.quota() == 3);
}

TEST_CASE("cpu.cfs_quota_us limits its group and those below it") {
  const machine m;
  m.write("proc/self/mountinfo", "30 22 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n" + version_1);
  m.write("proc/self/cgroup", "3:cpuset:/x\n2:cpu,cpuacct:/job/step\n1:name=systemd:/y\n0::/\n");
  CHECK(m.quota() == no_limit);
  m.write("sys/fs/cgroup/cpu/job/step/cpu.cfs_quota_us", "-1\n");
  m.write("sys/fs/cgroup/cpu/job/step/cpu.cfs_period_us", "100000\n");
  CHECK(m.quota() == no_limit);
  m.write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "125000\n");
  m.write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "50000\n");
  CHECK(m.quota() == 2.5);
}

TEST_CASE("a mount of a part of the hierarchy shows the groups below it") {
  const machine m;
  m.write("proc/self/mountinfo", "31 30 0:28 /docker/7f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  m.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  m.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  m.write("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "100000\n");
  m.write("sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
  for (const auto& [group, quota] : {std::pair("/docker/7f", 2.0), std::pair("/docker/7f/inner", 1.0), std::pair("/elsewhere", 2.0),
                                     std::pair("/../../up", 2.0)}) {
    m.write("proc/self/cgroup", "1:cpu:" + std::string(group) + "\n");
    CHECK(m.quota() == quota);
  }
}

TEST_CASE("the lower limit of both control group versions is used, and names may have spaces") {
  const machine m;
  m.write("proc/self/mountinfo", version_1 + "40 30 0:37 / /sys/fs/my\\040groups rw - cgroup2 cgroup2 rw\n");
  m.write("proc/self/cgroup", "1:cpuacct,cpu:/\n0::/a b\n");
  m.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  m.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  m.write("sys/fs/my groups/a b/cpu.max", "300000 100000\n");
  CHECK(m.quota() == 3);
}

TEST_CASE("files that cannot be read set no limit") {
  const machine m;
  m.write("proc/self/mountinfo", version_2 + "\n- - -\n31 30 0:28 /\n");
  m.write("proc/self/cgroup", "0::/a\nnothing\n:\n");
  m.write("sys/fs/cgroup/a/cpu.max", "0 0\n");
  CHECK(m.quota() == no_limit);
  m.write("sys/fs/cgroup/a/cpu.max", "many\n");
  CHECK(m.quota() == no_limit);
}

TEST_CASE("this process has a usable core") { CHECK(rankpool::detail::usable_cores() >= 1); }

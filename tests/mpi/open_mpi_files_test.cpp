// The files that a killed launcher leaves. The tests create them in a temporary folder.
#include "mpi/open_mpi_files.hpp"
#include "support/catch.hpp"
#include "support/scratch_directory.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;

const std::string user = std::to_string(::geteuid());

/// Sets TMPDIR during its lifetime.
class temporary_files {
 public:
  temporary_files() {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", scratch_.path().c_str(), 1);
  }
  ~temporary_files() {
    if (before_.empty()) {
      ::unsetenv("TMPDIR");
    } else {
      ::setenv("TMPDIR", before_.c_str(), 1);
    }
  }
  temporary_files(const temporary_files&) = delete;
  temporary_files& operator=(const temporary_files&) = delete;

  fs::path write(const std::string& name, const std::string& content = {}) const {
    const fs::path file = scratch_.path() / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
    return file;
  }
  int count() const { return scratch_.files(); }

 private:
  support::scratch_directory scratch_;
  std::string before_;
};

/// A shared memory file with the name of a host that does not exist.
class segment {
 public:
  explicit segment(const std::string& name) : path_("/dev/shm/" + name) { std::ofstream(path_) << "x"; }
  ~segment() {
    std::error_code none;
    fs::remove(path_, none);
  }
  segment(const segment&) = delete;
  segment& operator=(const segment&) = delete;
  bool exists() const { return fs::exists(path_); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("the session directory of a launcher of Open MPI 5 is removed, and no other") {
  const temporary_files files;
  files.write("prterun.host-1.234." + user + "/1/0/file");
  const fs::path others[] = {files.write("prterun.host-1.1234." + user + "/file"),
                             files.write("prterun.host-1.235." + user + "/file"),
                             files.write("prterun.host-1.234." + user + "0/file"),
                             files.write("other.host-1.234." + user + "/file"), files.write("prterun.234." + user + "/file")};
  rankpool::detail::remove_open_mpi_files(234);
  for (const fs::path& other : others) {
    CAPTURE(other);
    CHECK(fs::exists(other));
  }
  CHECK(files.count() == 5);
}

TEST_CASE("the shared memory of the ranks of Open MPI 5 is removed, and no other") {
  // Names in the format of Open MPI 5.0.7: the launcher is process 9 on the host 'vm'.
  const temporary_files files;
  files.write("prterun.vm.9." + user + "/file");
  const segment ranks[] = {segment("sm_segment.vm." + user + ".10aa0001.0"), segment("sm_segment.vm." + user + ".10aa0001.12")};
  const segment other("sm_segment.vm." + user + ".10ab0001.0");
  if (!ranks[0].exists()) return;  // the machine has no /dev/shm
  rankpool::detail::remove_open_mpi_files(9);
  CHECK_FALSE(ranks[0].exists());
  CHECK_FALSE(ranks[1].exists());
  CHECK(other.exists());
}

TEST_CASE("the session directory of a launcher of Open MPI 4 is removed, and that of all launchers when it is empty") {
  const temporary_files files;
  files.write("ompi.host-1." + user + "/pid.234/contact.txt", "1234567\n");
  const fs::path other = files.write("ompi.host-1." + user + "/pid.235/contact.txt", "1234568\n");
  rankpool::detail::remove_open_mpi_files(234);
  CHECK_FALSE(fs::exists(other.parent_path().parent_path() / "pid.234"));
  CHECK(fs::exists(other));
  rankpool::detail::remove_open_mpi_files(235);
  CHECK(files.count() == 0);
}

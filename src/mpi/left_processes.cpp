// Compares the descriptors of processes in /proc.
#include "mpi/left_processes.hpp"

#include "support/log.hpp"
#include "support/process_table.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <thread>

namespace rankpool::detail {
namespace {

using std::filesystem::path;
using std::filesystem::perms;

path folder_of(pid_t process) { return path("/proc") / std::to_string(process); }

/// Calls `f` with the path of each entry. Returns false if the folder cannot be read.
template <class F>
bool for_each_entry(const path& folder, F f) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  if (error) return false;
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) f(entry->path());
  return true;
}

struct open_file {
  std::string name;  // such as "pipe:[4711]"; empty: the descriptor is closed
  bool is_readable = false;
  bool is_writable = false;
};

open_file read_descriptor(const path& descriptor) {
  std::error_code error;
  open_file file;
  const perms mode = std::filesystem::symlink_status(descriptor, error).permissions();
  if (error) return file;
  file.is_readable = (mode & perms::owner_read) != perms::none;
  file.is_writable = (mode & perms::owner_write) != perms::none;
  file.name = std::filesystem::read_symlink(descriptor, error);
  return file;
}

/// Returns whether an open terminal is one of this process's /dev/pts. The same name may belong to another in a container.
bool is_terminal_of_this_system(const path& descriptor) {
  struct stat terminal {};
  struct stat terminals {};
  return ::stat(descriptor.c_str(), &terminal) == 0 && ::stat("/dev/pts", &terminals) == 0 && terminal.st_dev == terminals.st_dev;
}

/// Returns whether the process has one of these pipes and terminals open for writing.
bool can_write(pid_t process, const std::set<std::string>& names) {
  bool is_holder = false;
  for_each_entry(folder_of(process) / "fd", [&](const path& descriptor) {
    if (is_holder) return;
    const open_file file = read_descriptor(descriptor);
    is_holder = file.is_writable && names.contains(file.name) &&
                (!file.name.starts_with("/dev/pts/") || is_terminal_of_this_system(descriptor));
  });
  return is_holder;
}

/// Returns the name of the terminal whose other end is this descriptor; empty if it is no such end.
std::string terminal_of(pid_t process, const path& descriptor) {
  std::ifstream info(folder_of(process) / "fdinfo" / descriptor.filename());
  for (std::string key, value; info >> key >> value;) {
    if (key == "tty-index:") return "/dev/pts/" + value;
  }
  return {};
}

/// Returns the names of the pipes and terminals that the process reads from the other end.
std::set<std::string> outputs_read_by(pid_t process) {
  std::set<std::string> names;
  for_each_entry(folder_of(process) / "fd", [&](const path& descriptor) {
    const open_file file = read_descriptor(descriptor);
    if (file.name.starts_with("pipe:") && file.is_readable && !file.is_writable) {
      names.insert(file.name);
    } else if (file.name.ends_with("/ptmx")) {
      names.insert(terminal_of(process, descriptor));
    }
  });
  names.erase("");
  return names;
}

/// Returns the names of the pipes and terminals from which the launcher reads the output of ranks. Those that this process has as
/// well were inherited from the user, and the other end belongs to a process of the user.
std::set<std::string> outputs_of_ranks(pid_t launcher) {
  std::set<std::string> names = outputs_read_by(launcher);
  for (const std::string& inherited : outputs_read_by(::getpid())) names.erase(inherited);
  return names;
}

// ---- in a rank

struct rank_streams {
  pid_t process = 0;
  std::string rank;
  std::set<std::string> names;
  std::set<pid_t> known;  // processes that exist before the first task, such as the fork server
};

rank_streams streams;

using process_map = std::map<pid_t, process_entry>;

/// Returns whether a task of this process has started the process: its ancestors lead here, or it is in the group of this process.
bool is_of_task(pid_t process, const process_map& all) {
  std::size_t steps = 0;  // a pid that is used again during the reading of `all` may close a circle
  for (auto ancestor = all.find(process); ancestor != all.end() && steps < all.size();
       ancestor = all.find(ancestor->second.parent)) {
    ++steps;
    if (streams.known.contains(ancestor->first)) return false;
    if (ancestor->second.parent == streams.process) return true;
  }
  return all.at(process).group == streams.process;
}

process_map processes_by_pid() {
  process_map all;
  for (const process_entry& p : all_processes()) all.emplace(p.process, p);
  return all;
}

std::vector<pid_t> left_by_tasks() {
  const process_map all = processes_by_pid();
  std::vector<pid_t> found;
  for (const auto& [process, ignored] : all) {
    if (process != streams.process && is_of_task(process, all) && can_write(process, streams.names)) found.push_back(process);
  }
  return found;
}

}  // namespace

void note_streams(const std::string& rank) {
  streams.rank = rank;
  streams.process = ::getpid();
  const process_map all = processes_by_pid();
  for (const auto& [process, ignored] : all) {
    if (process != streams.process && is_of_task(process, all)) streams.known.insert(process);
  }
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    const open_file file = read_descriptor(folder_of(streams.process) / "fd" / std::to_string(stream));
    if (file.name.starts_with("pipe:") || file.name.starts_with("/dev/pts/")) streams.names.insert(file.name);
  }
}

void end_left_processes() {
  if (streams.process != ::getpid() || streams.names.empty()) return;
  const auto end = std::chrono::steady_clock::now() + left_process_time;
  std::vector<pid_t> left = left_by_tasks();
  for (; !left.empty() && std::chrono::steady_clock::now() < end; left = left_by_tasks()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (left.empty()) return;
  std::vector<std::string> names;
  for (const pid_t process : left) {
    names.push_back(process_name(process));
    ::kill(process, SIGKILL);
  }
  log_line(left_message(streams.rank, names));
}

// ---- in the process that has started the launcher

std::optional<std::size_t> number_of_children(pid_t launcher) {
  std::size_t count = 0;
  bool is_known = true;
  const bool is_read = for_each_entry(folder_of(launcher) / "task", [&](const path& thread) {
    std::ifstream children(thread / "children");
    is_known = is_known && children.is_open();
    count += static_cast<std::size_t>(std::distance(std::istream_iterator<pid_t>(children), std::istream_iterator<pid_t>()));
  });
  return is_known && is_read ? std::optional(count) : std::nullopt;
}

std::vector<pid_t> holders_of_output(pid_t launcher) {
  const std::set<std::string> names = outputs_of_ranks(launcher);
  std::vector<pid_t> found;
  for (const process_entry& p : all_processes()) {
    if (p.process != launcher && p.process != ::getpid() && can_write(p.process, names)) found.push_back(p.process);
  }
  std::ranges::sort(found);
  return found;
}

std::string process_name(pid_t process) {
  std::ifstream file(folder_of(process) / "comm");
  std::string name;
  std::getline(file, name);
  return std::to_string(process) + " (" + name + ")";
}

std::string left_message(const std::string& who, const std::vector<std::string>& processes) {
  constexpr std::size_t most_names = 8;
  std::string text = who + " left processes that held the stdout or stderr of a rank open, and were killed " +
                     std::to_string(left_process_time.count()) + " s after the run:";
  const std::size_t names = std::min(processes.size(), most_names);
  for (std::size_t i = 0; i < names; ++i) text.append(i == 0 ? " " : ", ").append(processes[i]);
  if (names < processes.size()) text.append(" and ").append(std::to_string(processes.size() - names)).append(" more");
  text.append("; redirect the output of a process that is to outlive its task");
  return text;
}

}  // namespace rankpool::detail

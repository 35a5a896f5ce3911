// Finds the processes of a session in /proc.
#include "mpi/process_session.hpp"

#include <signal.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace rankpool::detail {
namespace {

bool is_member(const std::filesystem::path& process, pid_t session) {
  std::ifstream file(process / "stat");
  std::string text;
  std::getline(file, text, '\0');
  const auto end_of_name = text.rfind(')');  // the name before it may contain any character
  if (end_of_name == std::string::npos) return false;
  std::istringstream fields(text.substr(end_of_name + 1));
  char state = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t found = 0;
  fields >> state >> parent >> group >> found;
  return fields && found == session && state != 'Z' && state != 'X';
}

}  // namespace

std::vector<pid_t> process_session::members() const {
  std::vector<pid_t> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    pid_t process = 0;
    const auto [stop, failure] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (failure != std::errc() || stop != name.data() + name.size()) continue;
    if (is_member(entry->path(), leader_)) found.push_back(process);
  }
  return found;
}

bool process_session::contains(pid_t process) const {
  return process > 0 && is_member("/proc/" + std::to_string(process), leader_);
}

void process_session::send(int signal, pid_t except) const {
  for (const pid_t process : members()) {
    if (process != except) ::kill(process, signal);
  }
}

}  // namespace rankpool::detail

#include "support/process_table.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>

namespace rankpool::detail {

std::optional<process_entry> find_process(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  const auto end_of_name = text.rfind(')');  // the name before it may contain any character
  if (end_of_name == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(end_of_name + 1));
  process_entry found{.process = process};
  fields >> found.state >> found.parent >> found.group >> found.session;
  return fields ? std::optional(found) : std::nullopt;
}

bool ends_within(pid_t process, std::chrono::nanoseconds at_most) {
  constexpr auto pause = std::chrono::milliseconds(1);  // not every kernel has a handle of a process to wait for
  const auto until = std::chrono::steady_clock::now() + at_most;
  for (;;) {
    const auto found = find_process(process);
    if (!found || !found->is_running()) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
  }
}

std::vector<process_entry> all_processes() {
  std::vector<process_entry> all;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    pid_t process = 0;
    const auto [stop, failure] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (failure != std::errc() || stop != name.data() + name.size()) continue;
    if (const auto found = find_process(process)) all.push_back(*found);
  }
  return all;
}

}  // namespace rankpool::detail

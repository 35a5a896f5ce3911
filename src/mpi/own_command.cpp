// Reconstructs this program's command from /proc and the dynamic loader's data.
#include "mpi/own_command.hpp"

#include <errno.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <fstream>
#include <sstream>

namespace rankpool::detail {
namespace {

/// Returns the file that the kernel started: the program, or the dynamic loader that loaded it.
std::string started_file() {
  std::array<char, PATH_MAX> path{};
  const auto length = readlink("/proc/self/exe", path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "";
}

/// Returns the file that is mapped at an address of this process; empty if there is none.
std::string mapped_file(std::uintptr_t address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    // FIRST-LAST PERMISSIONS OFFSET DEVICE INODE FILE
    std::istringstream words(line);
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    words >> std::hex >> first >> dash >> last;
    if (address < first || address >= last) continue;
    const std::size_t file = line.find('/');
    return file == line.npos ? "" : line.substr(file);
  }
  return "";
}

/// Returns the program's own file, which is the file of the first module.
std::string program_file() {
  std::uintptr_t code = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* program, std::size_t, void* into) {
        const auto* end = program->dlpi_phdr + program->dlpi_phnum;
        const auto* segment = std::find_if(program->dlpi_phdr, end, [](const auto& header) { return header.p_type == PT_LOAD; });
        if (segment != end) *static_cast<std::uintptr_t*>(into) = program->dlpi_addr + segment->p_vaddr;
        return 1;
      },
      &code);
  return mapped_file(code);
}

std::vector<std::string> words_of_this_process() {
  std::vector<std::string> words;
  std::ifstream line("/proc/self/cmdline");
  for (std::string word; std::getline(line, word, '\0');) words.push_back(word);
  return words;
}

}  // namespace

std::vector<std::string> own_command(const std::string& name) {
  const std::string started = started_file();
  if (started.empty()) return {name};
  const std::string program = program_file();
  if (program.empty() || program == started) return {started};
  std::vector<std::string> command{started};
  const std::vector<std::string> words = words_of_this_process();
  const auto own = std::ranges::find(words, program_invocation_name);  // the program's name as the loader got it
  if (own != words.end() && own != words.begin()) command.insert(command.end(), words.begin() + 1, own);
  command.push_back(program);
  return command;
}

}  // namespace rankpool::detail

// Reads the variables of launchers, marks the environment of a rank, and prepares the environment of a new launch.
#include "mpi/launch_environment.hpp"

#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <vector>

namespace rankpool::detail {
namespace {

constexpr const char* mark_variable = "RANKPOOL_INSIDE";  // "PID:LAUNCH"

/// Returns the name of the launch that this process belongs to. All processes of a launch have the same name.
std::string launch_name() { return variable("PMIX_NAMESPACE").value_or(""); }

/// Returns the system's default PATH, such as "/bin:/usr/bin".
std::string default_path() {
  std::string path(confstr(_CS_PATH, nullptr, 0), '\0');
  confstr(_CS_PATH, path.data(), path.size());
  return path.c_str();
}

/// Returns the home directory in the user database, or "/" if the user has none.
std::string home_directory() {
  const passwd* user = ::getpwuid(::geteuid());
  return user == nullptr || user->pw_dir == nullptr || *user->pw_dir == '\0' ? "/" : user->pw_dir;
}

void unset_other_launch() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name = std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    for (const std::string_view prefix : {"OMPI_", "PMIX_", "PRTE_", "PMI_", "SLURM_", mark_variable}) {
      if (name.starts_with(prefix)) names.emplace_back(name);
    }
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

}  // namespace

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::optional<int> number(const std::optional<std::string>& text) {
  int value = 0;
  if (!text) return std::nullopt;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
  return failure == std::errc() && end == text->data() + text->size() ? std::optional(value) : std::nullopt;
}

bool is_started_by_rank() {
  const auto mark = variable(mark_variable);
  if (!mark) return false;
  const auto colon = mark->find(':');
  return mark->substr(0, colon) != std::to_string(getpid()) && mark->substr(colon + 1) == launch_name();
}

std::optional<int> rank_of_launch() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const auto rank = number(variable(name))) return rank;
  }
  return std::nullopt;
}

bool is_reporting_process() { return is_started_by_rank() || rank_of_launch().value_or(0) == 0; }

void mark_environment() {
  static std::once_flag once;  // later, another thread may be reading the environment
  std::call_once(once, [] { setenv(mark_variable, (std::to_string(getpid()) + ":" + launch_name()).c_str(), 1); });
}

void prepare_environment() {
  if (is_started_by_rank()) unset_other_launch();
  unsetenv("RANKPOOL_WORKERS");  // it applies to this launch, not to programs that a rank starts
  if (!variable("PATH")) setenv("PATH", default_path().c_str(), 1);
  if (!variable("HOME")) setenv("HOME", home_directory().c_str(), 1);
  if (geteuid() == 0) {  // otherwise mpirun refuses to run as root
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  }
}

}  // namespace rankpool::detail

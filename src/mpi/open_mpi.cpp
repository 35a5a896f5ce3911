// Differences between Open MPI 4 and 5.
#include "mpi/open_mpi.hpp"

#include <mpi.h>

#include <mpi-ext.h>  // after mpi.h, which declares what it uses

#include <dlfcn.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace rankpool::detail {
namespace {

constexpr int version = OMPI_MAJOR_VERSION;
// mpirun sets it for the ranks if it lets them run on when one ends.
constexpr const char* recovery = version >= 5 ? "OMPI_MCA_mpi_ft_enable" : "OMPI_MCA_orte_enable_recovery";
constexpr const char* reachability = "OMPI_MCA_reachable";

std::string_view variable_or_empty(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

[[maybe_unused]] bool all_ranks_are_on_this_node() {
  const std::string_view ranks = variable_or_empty("OMPI_COMM_WORLD_SIZE");  // mpirun
  if (!ranks.empty()) return ranks == variable_or_empty("OMPI_COMM_WORLD_LOCAL_SIZE");
  return variable_or_empty("SLURM_STEP_NUM_NODES") == "1";  // srun
}

}  // namespace

std::vector<std::string> launcher_options() {
  if constexpr (version >= 5) return {"--output", ":raw"};
  return {"--quiet"};
}

std::vector<std::string> recovery_options() {
#if OMPI_MAJOR_VERSION < 5
  // On a Slurm cluster, mpirun starts its daemons with srun, which would end them all when a node fails.
  std::string srun_options(variable_or_empty("OMPI_MCA_plm_slurm_args"));
  srun_options.append(srun_options.empty() ? "" : " ").append("--no-kill");
  return {"--enable-recovery", "--mca", "plm_slurm_args", srun_options};
#elif defined(OMPI_HAVE_MPI_EXT_FTMPI)
  return {"--with-ft", "ulfm", "--runtime-options", "error-nonzero-status=0"};
#else
  return {};  // built without fault tolerance
#endif
}

bool has_recovery() {
  const std::string_view value = variable_or_empty(recovery);
  return value == "1" || value == "true" || value == "yes";
}

bool is_transport_chosen() { return !variable_or_empty("OMPI_MCA_btl").empty() || !variable_or_empty("OMPI_MCA_pml").empty(); }

void restore_hangup_action() {
  struct sigaction action {};
  if (::sigaction(SIGHUP, nullptr, &action) != 0 || action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) return;
  Dl_info library{};
  if (::dladdr(reinterpret_cast<void*>(action.sa_handler), &library) == 0 || library.dli_fname == nullptr) return;
  if (std::string_view(library.dli_fname).find("/libucs") != std::string_view::npos) ::signal(SIGHUP, SIG_DFL);
}

reachability_setting::reachability_setting() {
  if constexpr (version >= 5) {
    is_set_ = all_ranks_are_on_this_node() && std::getenv(reachability) == nullptr && setenv(reachability, "weighted", 0) == 0;
  }
}

reachability_setting::~reachability_setting() {
  if (is_set_) unsetenv(reachability);
}

}  // namespace rankpool::detail

#include "exec/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jobs {

namespace {

constexpr auto prefixes_of_launchers =
    std::to_array<std::string_view>({"OMPI_", "OPAL_", "ORTE_", "PMIX_", "PRTE_", "PMI_", "HYDRA_", "RANKPOOL_INSIDE="});

// Variables that are already in the environment if this run is itself a command of another run.
constexpr auto worker_variables = std::to_array<std::string_view>({"RANKPOOL_RANK=", "RANKPOOL_SLOT="});
std::array<std::string, 2> values_of_worker_variables;
int slot_of_worker = 0;

// Variables in which Slurm describes the allocation. All other SLURM_ variables describe the step of this worker, or are options
// of the srun that started it: an srun in a command would apply these options.
constexpr auto prefixes_of_allocation = std::to_array<std::string_view>(
    {"SLURM_JOB_", "SLURM_JOBID=", "SLURM_ARRAY_", "SLURM_HET_", "SLURM_CLUSTER_NAME=", "SLURM_WORKING_CLUSTER=", "SLURM_CONF=",
     "SLURM_SUBMIT_", "SLURM_RESTART_COUNT=", "SLURM_NODELIST=", "SLURM_NNODES=", "SLURM_CPUS_ON_NODE=", "SLURM_GPUS_ON_NODE=",
     "SLURM_CPUS_PER_TASK=", "SLURM_MEM_PER_", "SLURM_EXPORT_ENV=", "SLURM_PMIX_FENCE="});

bool begins_with_any(std::string_view entry, std::span<const std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [entry](std::string_view prefix) { return entry.starts_with(prefix); });
}

}  // namespace

bool is_of_launcher(const char* entry) {
  const std::string_view name(entry);
  if (name.starts_with("OMPI_ALLOW_RUN_AS_ROOT")) return false;
  if (name.starts_with("SLURM_")) return !begins_with_any(name, prefixes_of_allocation);
  return begins_with_any(name, prefixes_of_launchers);
}

int worker_slot() { return slot_of_worker; }

void set_worker_variables(int rank, int slot) {
  slot_of_worker = slot;
  values_of_worker_variables = {std::string(worker_variables[0]) + std::to_string(rank),
                                std::string(worker_variables[1]) + std::to_string(slot)};
}

char* const* command_environment() {
  static const std::vector<char*> kept = [] {
    std::vector<char*> entries;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (!is_of_launcher(*entry) && !begins_with_any(*entry, worker_variables)) entries.push_back(*entry);
    }
    for (std::string& entry : values_of_worker_variables) {
      if (!entry.empty()) entries.push_back(entry.data());
    }
    entries.push_back(nullptr);
    return entries;
  }();
  return kept.data();
}

}  // namespace jobs

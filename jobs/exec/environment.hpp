// The environment that commands get: the worker's, without what its own launcher has put there, and with the worker's number.
//
// A command may then be an MPI program of its own, which does not take itself for a rank of this run. In a Slurm job it sees the
// allocation (SLURM_JOB_ID, SLURM_JOB_NODELIST, ...) and not the step of this run, so that it may start steps with srun.
#pragma once

namespace jobs {

/// Sets RANKPOOL_RANK and RANKPOOL_SLOT for the commands of this worker. `slot`: the number of the worker among those of its node,
/// from 0, which may select a GPU. Call it before the first command starts.
void set_worker_variables(int rank, int slot);

/// Returns that slot; 0 before set_worker_variables().
int worker_slot();

/// For posix_spawn; made once. Thread: any.
char* const* command_environment();

/// Whether a variable ("NAME=value") is for ranks alone. OMPI_ALLOW_RUN_AS_ROOT is not: it is the user's word.
bool is_of_launcher(const char* entry);

}  // namespace jobs

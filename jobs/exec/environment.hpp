// The environment of commands: the worker's environment without the variables of its launcher, plus the worker's number.
//
// A command may therefore be an MPI program itself: it does not believe that it is a rank of this run. In a Slurm job, it sees the
// allocation (SLURM_JOB_ID, SLURM_JOB_NODELIST, ...) but not the step of this run, so it may start steps with srun.
#pragma once

namespace jobs {

/// Sets RANKPOOL_RANK and RANKPOOL_SLOT for the commands of this worker. `slot` is the index of the worker among those of its
/// node, from 0; it can select a GPU. Call this before the first command starts.
void set_worker_variables(int rank, int slot);

/// Returns the slot of this worker; 0 before set_worker_variables().
int worker_slot();

/// Returns the environment for posix_spawn; it is built once. Thread safety: any thread.
char* const* command_environment();

/// Returns whether a variable ("NAME=value") belongs to the launcher. OMPI_ALLOW_RUN_AS_ROOT does not: the user sets it.
bool is_of_launcher(const char* entry);

}  // namespace jobs

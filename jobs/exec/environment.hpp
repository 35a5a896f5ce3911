// The environment that commands get: the worker's, without what its own launcher has put there.
//
// A command may then be an MPI program of its own, which does not take itself for a rank of this run. In a Slurm job it sees the
// allocation (SLURM_JOB_ID, SLURM_JOB_NODELIST, ...) and not the step of this run, so that it may start steps with srun.
#pragma once

namespace jobs {

/// For posix_spawn; made once. Thread: any.
char* const* command_environment();

/// Whether a variable ("NAME=value") is for ranks alone. OMPI_ALLOW_RUN_AS_ROOT is not: it is the user's word.
bool is_of_launcher(const char* entry);

}  // namespace jobs

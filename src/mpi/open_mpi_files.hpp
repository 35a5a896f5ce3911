// The temporary files of an mpirun that was killed or could not start: its session directory and the shared memory of its ranks.
#pragma once

#include <sys/types.h>

namespace rankpool::detail {

/// Removes the files that Open MPI would have removed if this launcher had ended normally. Ignores errors. Call it after the ranks
/// on this node have ended.
void remove_open_mpi_files(pid_t launcher);

}  // namespace rankpool::detail

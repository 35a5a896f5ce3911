// Terminates a rank when the launcher that started it dies.
#pragma once

namespace rankpool::detail {

/// Makes this process get SIGHUP when its parent (mpirun or one of its daemons) dies. Open MPI alone would end the process
/// seconds later, without running its signal handlers. Does nothing if the program handles SIGRTMAX itself.
void terminate_with_launcher();

}  // namespace rankpool::detail

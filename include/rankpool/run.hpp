// run: a whole program on rank 0 with every other rank as its worker. with_executor: the same inside a program
// that owns MPI.
#pragma once

#include <rankpool/cluster.hpp>
#include <rankpool/executor.hpp>
#include <rankpool/options.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace boost::mpi {
class communicator;
}

namespace rankpool {

namespace detail {

int run_program(int& argc, char**& argv, const std::function<int(cluster&)>& program, const run_options& options);
void serve_or_lead(const boost::mpi::communicator& communicator, int root, const std::function<void(cluster&)>& lead);

}  // namespace detail

/// Initialises MPI, calls program(cluster&) on rank 0 alone while every other rank serves tasks, finalises, and
/// returns the exit status, the same on every rank: what program returns, 0 if that is void.
///
/// Started without an MPI launcher, the program starts itself again under one, with a worker per usable core;
/// RANKPOOL_WORKERS=n sets another number and 0 runs every task inline, in this process, without MPI. Code before
/// run() is then executed by the process that starts the launcher too, and code after it by every rank as well.
/// argc and argv are handed to MPI_Init, and to the program that is started again as they are: leave them whole.
///
/// An exception that leaves program is printed with its type and message and the status is 1. A launch that
/// cannot work (ranks that do not see each other, different builds) is refused with one line and status 2.
/// run() works once in a process, inline as on ranks: a second call is refused with one line and status 2. To use
/// the workers several times, make several executors on the cluster. A program that has initialised MPI itself, with
/// MPI_THREAD_SERIALIZED or higher, may call it before MPI_Finalize; with_executor is mostly what it wants.
/// Throws rankpool::error when called from program or from a task: run() is already running there.
template <class Program>
  requires std::is_invocable_v<Program&, cluster&>
int run(int& argc, char**& argv, Program program, run_options options = {}) {
  return detail::run_program(
      argc, argv,
      [&](cluster& c) -> int {
        if constexpr (std::is_void_v<std::invoke_result_t<Program&, cluster&>>) {
          program(c);
          return 0;
        } else {
          return static_cast<int>(program(c));
        }
      },
      options);
}

/// Collective over the communicator: calls program(executor&) on `root` while the others serve its tasks, and
/// returns on all ranks. May be called again. MPI must be initialised with MPI_THREAD_SERIALIZED or higher; below
/// MPI_THREAD_MULTIPLE, the root's program must not call MPI itself.
/// Throws std::invalid_argument for a root out of range or an intercommunicator; rankpool::error if MPI is not
/// initialised or already finalised, and when called from program or from a task on the same communicator (another
/// one, such as MPI_COMM_SELF, may hold a pool of its own there); on root also what program throws.
template <class Program>
  requires std::is_invocable_v<Program&, executor&>
void with_executor(const boost::mpi::communicator& communicator, int root, Program program, executor_options options = {}) {
  detail::serve_or_lead(communicator, root, [&](cluster& c) {
    executor pool(c, std::move(options));
    program(pool);  // it may move the executor away
  });
}

}  // namespace rankpool

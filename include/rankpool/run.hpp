// run: runs a program on rank 0 with all other ranks as workers. with_executor: does the same inside a program that owns MPI.
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

/// Runs `program` on a pool. It initialises MPI, calls program(cluster&) on rank 0 while every other rank serves tasks, and
/// finalises MPI.
///
/// Returns the exit status, which is the same on every rank:
/// - the return value of program, or 0 if program returns void;
/// - 1 if an exception escapes from program; its type and message are printed;
/// - 2 if the launch cannot work, because the ranks do not see each other or run different builds; a message says what to do;
/// - 75 if the run was stopped early (see cluster::stop) and any submitted work has not run; the reason is printed;
/// - 128 + n if signal n ended a self-launched run.
/// Return it from main() at once: when one rank ends with a status other than 0, most launchers end the other ranks.
///
/// A program that was started without an MPI launcher starts itself again under mpirun, with one worker per usable core. The
/// environment variable RANKPOOL_WORKERS=n sets the number of workers; with 0, every task runs inline in this process, without MPI.
/// The process that starts the launcher also executes the code before and after run(); every rank does so too. run() passes argc
/// and argv unchanged to the new process, and to MPI_Init. Do not change them before the call.
///
/// std::exit(status) in program, from any thread, ends every rank, and the launcher returns this status. It cancels pending tasks
/// and terminates running tasks with their processes. Exit handlers and static destructors run on rank 0. Another thread of rank 0
/// must not call exit() while program returns.
///
/// run() works once per process; a second call prints a message and returns 2. To use the workers several times, make several
/// executors on the cluster. A program that has initialised MPI with MPI_THREAD_SERIALIZED or higher may call run() before
/// MPI_Finalize; with_executor suits such programs better.
///
/// Tasks and program may call MPI: run() initialises MPI with MPI_THREAD_MULTIPLE, because a second thread of each rank calls MPI
/// while a task runs. For example, a task may open files on MPI_COMM_SELF. Tasks must not communicate on MPI_COMM_WORLD, because
/// the ranks run tasks in no common order. If MPI was initialised below MPI_THREAD_MULTIPLE, neither tasks nor program may call it
/// while the pool runs.
///
/// Throws: rankpool::error if program or a task calls it, because run() is already running.
/// Blocks: until the program has returned and the run has ended.
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

/// Runs `program` on a pool inside a program that owns MPI. All ranks of the communicator call it: it calls program(executor&) on
/// `root` while the other ranks serve tasks, and returns on all ranks. It may be called again.
///
/// `root` is a rank from 0 to communicator.size() - 1. MPI must be initialised with MPI_THREAD_SERIALIZED or higher. Tasks and
/// program may call MPI only with MPI_THREAD_MULTIPLE, because a second thread of each rank calls MPI meanwhile. The same holds
/// for a pool on another communicator of several ranks.
///
/// Throws: std::invalid_argument if root is out of range, or the communicator is null or an intercommunicator; rankpool::error if
/// MPI is not initialised or is already finalised, if the ranks run different builds, or if program or a task calls it on the same
/// communicator (it may use another one there, such as MPI_COMM_SELF); on root also what program throws.
/// Blocks: until program has returned and the workers have ended.
template <class Program>
  requires std::is_invocable_v<Program&, executor&>
void with_executor(const boost::mpi::communicator& communicator, int root, Program program, executor_options options = {}) {
  detail::serve_or_lead(communicator, root, [&](cluster& c) {
    executor pool(c, std::move(options));
    program(pool);  // program may move from the executor
  });
}

}  // namespace rankpool

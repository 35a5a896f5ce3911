// worker_failure_program run|with_executor: an MPI call fails on a worker while tasks run (PMPI).
//
// The calls that free a pool's memory and communicators are collective. A worker that unwinds its stack would wait for the other
// ranks for ever, so it must end the program with a message instead.
#include <rankpool/rankpool.hpp>

#include <mpi.h>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <atomic>
#include <ranges>
#include <string>

namespace {

std::atomic<bool> mpi_fails = false;

int break_mpi(int n) {
  if (n == 7) mpi_fails = true;
  return n;
}

/// Runs until the program ends.
void work(rankpool::executor& pool) {
  for (;;) {
    for (const int n : pool.map(break_mpi, std::views::iota(0, 20))) (void)n;
  }
}

}  // namespace

extern "C" int MPI_Improbe(int from, int tag, MPI_Comm comm, int* found, MPI_Message* message, MPI_Status* status) {
  return mpi_fails ? MPI_ERR_OTHER : PMPI_Improbe(from, tag, comm, found, message, status);
}

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "with_executor") {
    const boost::mpi::environment environment(argc, argv, boost::mpi::threading::serialized);
    rankpool::with_executor(boost::mpi::communicator(), 0, work);
    return 0;
  }
  return rankpool::run(argc, argv, [](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    work(pool);
  });
}

// worker_failure_program run|with_executor: MPI fails on a worker in the middle of its work (PMPI).
//
// What frees a pool's memory and communicators is collective, so that a worker that unwound would wait for the others
// for ever. It must end the program instead, and say why.
#include <rankpool/rankpool.hpp>

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>
#include <mpi.h>

#include <atomic>
#include <ranges>
#include <string>

namespace {

std::atomic<bool> mpi_fails = false;

int break_mpi(int n) {
  if (n == 7) mpi_fails = true;
  return n;
}

/// Ends only with the program.
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

// A program that has not asked MPI for threads is told so, on every rank, instead of failing obscurely later.
#include <rankpool/rankpool.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <cstdio>
#include <exception>
#include <functional>
#include <string>

int main(int argc, char** argv) {
  const boost::mpi::environment environment(argc, argv, boost::mpi::threading::single);
  const boost::mpi::communicator world;
  int refused = 0;
  try {
    rankpool::with_executor(world, 0, [](rankpool::executor&) {});
  } catch (const std::exception& error) {
    refused = std::string(error.what()).find("MPI_THREAD_SERIALIZED") != std::string::npos;
  }
  const int count = boost::mpi::all_reduce(world, refused, std::plus<>{});
  if (world.rank() == 0) std::printf("refused for want of MPI_THREAD_SERIALIZED on %d ranks\n", count);
  return 0;
}

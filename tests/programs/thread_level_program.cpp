// A program that initialises MPI with too low a thread level gets an error message of one line.
#include <rankpool/rankpool.hpp>

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <cstdio>

namespace {

int square(int n) { return n * n; }

}  // namespace

int main(int argc, char** argv) {
  const boost::mpi::environment environment(argc, argv, boost::mpi::threading::single);
  const boost::mpi::communicator world;
  rankpool::with_executor(world, 0, [](rankpool::executor& pool) { std::printf("square %d\n", pool.submit(square, 7).result()); });
  return 0;
}

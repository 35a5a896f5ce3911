// A program that owns MPI: pools with any root, on a part of the ranks, several times, and refused for wrong communicators.
//
// World rank 0 prints all lines, after the other ranks have sent it their results.
#include <rankpool/rankpool.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>
#include <boost/mpi/intercommunicator.hpp>

#include <cstdio>
#include <functional>
#include <iterator>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <vector>

namespace mpi = boost::mpi;

namespace {

int square(int n) { return n * n; }

int sum_of_squares(rankpool::executor& pool) {
  int sum = 0;
  for (const int n : pool.map(square, std::views::iota(1, 11))) sum += n;
  return sum;
}

void any_root(const mpi::communicator& world) {
  for (int root = 0; root < world.size(); ++root) {
    int sum = 0;
    int workers = 0;
    rankpool::with_executor(world, root, [&](rankpool::executor& pool) {
      sum = sum_of_squares(pool);
      workers = pool.num_workers();
    });
    mpi::broadcast(world, sum, root);
    mpi::broadcast(world, workers, root);
    if (world.rank() == 0) std::printf("root %d: sum %d on %d workers\n", root, sum, workers);
  }
}

/// Two ranks compute with a pool while the others exchange messages.
void sub_communicator(const mpi::communicator& world) {
  const bool in_pool = world.rank() < 2;
  const mpi::communicator part = world.split(in_pool ? 0 : 1);
  int sum = 0;
  if (in_pool) {
    rankpool::with_executor(part, 1, [&](rankpool::executor& pool) { sum = sum_of_squares(pool); }, {.max_workers = 1});
    mpi::broadcast(part, sum, 1);
  } else {
    for (int i = 0; i < 100; ++i) sum += mpi::all_reduce(part, 1, std::plus<>{});
  }
  std::vector<int> sums;
  mpi::gather(world, sum, sums, 0);
  if (world.rank() == 0) std::printf("sub-communicator: %d, the others: %d\n", sums.front(), sums.back());
}

void one_rank(const mpi::communicator& world) {
  const mpi::communicator alone = world.split(world.rank());
  int sum = 0;
  rankpool::with_executor(alone, 0, [&](rankpool::executor& pool) { sum = sum_of_squares(pool); });
  const int total = mpi::all_reduce(world, sum, std::plus<>{});
  if (world.rank() == 0) std::printf("one rank each: %d\n", total / world.size());
}

void after_an_exception(const mpi::communicator& world) {
  int caught = 0;
  try {
    rankpool::with_executor(world, 0, [](rankpool::executor& pool) {
      pool.submit(square, 3).result();
      throw std::runtime_error("the program gave up");
    });
  } catch (const std::exception&) {
    caught = 1;
  }
  mpi::broadcast(world, caught, 0);
  int sum = 0;
  rankpool::with_executor(world, 0, [&](rankpool::executor& pool) { sum = sum_of_squares(pool); });
  if (world.rank() == 0) std::printf("exception on the root: %s, then %d\n", caught ? "thrown on" : "lost", sum);
}

/// Returns how many ranks threw std::invalid_argument for a pool on `communicator`.
int refusals(const mpi::communicator& world, const mpi::communicator& communicator, int root) {
  int refused = 0;
  try {
    rankpool::with_executor(communicator, root, [](rankpool::executor&) {});
  } catch (const std::invalid_argument&) {
    refused = 1;
  }
  return mpi::all_reduce(world, refused, std::plus<>{});
}

void bad_arguments(const mpi::communicator& world) {
  for (const int root : {-1, world.size()}) {
    const int count = refusals(world, world, root);
    if (world.rank() == 0) std::printf("root %d: refused on %d ranks\n", root, count);
  }
  const bool left = world.rank() < 2;
  const mpi::communicator local = world.split(left ? 0 : 1);
  const mpi::intercommunicator between(local, 0, world, left ? 2 : 0);
  const int count = refusals(world, between, 0);
  if (world.rank() == 0) std::printf("intercommunicator: refused on %d ranks\n", count);
}

}  // namespace

int main(int argc, char** argv) {
  const mpi::environment environment(argc, argv, mpi::threading::serialized);
  const mpi::communicator world;
  for (int round = 0; round < 2; ++round) any_root(world);
  sub_communicator(world);
  one_rank(world);
  after_an_exception(world);
  bad_arguments(world);
  world.barrier();
  return 0;
}

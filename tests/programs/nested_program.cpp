// nested_program WHAT: starts a pool inside another pool, or after MPI was finalised.
//
// No case may hang. The new pool works, or is refused with a message; then the first pool still computes.
#include <rankpool/rankpool.hpp>

#include <mpi.h>
#include <boost/mpi/collectives.hpp>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace {

namespace mpi = boost::mpi;

int square(int n) { return n * n; }

int arguments = 0;
char** values = nullptr;

/// Starts a pool and returns whether it worked or was refused.
template <class Start>
std::string outcome(Start start) {
  try {
    start();
    return "it worked";
  } catch (const rankpool::error& error) {
    return std::string("refused: ") + error.what();
  }
}

std::string run_here(int) {
  return outcome([] { rankpool::run(arguments, values, [](rankpool::cluster&) {}); });
}

std::string pool_here(const mpi::communicator& communicator) {
  return outcome([&] {
    rankpool::with_executor(communicator, 0, [](rankpool::executor& pool) {
      if (pool.submit(square, 3).result() != 9) throw std::logic_error("3 * 3 is not 9");
    });
  });
}

std::string pool_on_world(int) { return pool_here({}); }
std::string pool_on_self(int) { return pool_here({MPI_COMM_SELF, mpi::comm_attach}); }

std::string pools_on_self_nested(int) {
  const mpi::communicator self(MPI_COMM_SELF, mpi::comm_attach);
  std::string inner;
  rankpool::with_executor(self, 0, [&](rankpool::executor& pool) {
    inner = pool_on_self(0);
    pool.submit(square, 2).result();
  });
  return inner;
}

using starter = std::string (*)(int);

/// Starts a pool in the program and in a task. Then checks that the first pool still computes.
void start_inside(rankpool::executor& pool, starter start) {
  std::printf("program: %s\n", start(0).c_str());
  std::printf("task: %s\n", pool.submit(start, 0).result().c_str());
  std::printf("then: %d\n", pool.submit(square, 4).result());
}

int run_with(starter start) {
  return rankpool::run(arguments, values, [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    start_inside(pool, start);
  });
}

void own_mpi_with(starter start) {
  const mpi::environment environment(arguments, values, mpi::threading::serialized);
  rankpool::with_executor(mpi::communicator(), 0, [&](rankpool::executor& pool) { start_inside(pool, start); });
}

int run_once() {
  return rankpool::run(arguments, values, [](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    std::printf("run: %d\n", pool.submit(square, 3).result());
    std::fflush(stdout);
  });
}

void moved_away() {
  const mpi::environment environment(arguments, values, mpi::threading::serialized);
  rankpool::with_executor(mpi::communicator(), 0, [](rankpool::executor& pool) {
    rankpool::executor mine = std::move(pool);
    std::printf("moved: %d\n", mine.submit(square, 5).result());
  });
}

/// Each of two threads of a rank is the root of one pool and serves in the other.
void two_threads() {
  const mpi::environment environment(arguments, values, mpi::threading::multiple);
  const mpi::communicator world;
  const mpi::communicator one(world, mpi::comm_duplicate);
  const mpi::communicator two(world, mpi::comm_duplicate);
  int sums[2] = {};
  const auto compute = [&](const mpi::communicator& communicator, int root) {
    rankpool::with_executor(communicator, root, [&](rankpool::executor& pool) {
      for (int n = 1; n <= 100; ++n) sums[root] += pool.submit(square, n).result();
    });
  };
  for (int round = 0; round < 20; ++round) {
    std::thread other([&] { compute(one, 0); });
    compute(two, 1);
    other.join();
  }
  mpi::broadcast(world, sums[1], 1);
  if (world.rank() == 0) std::printf("two threads: %d %d\n", sums[0], sums[1]);
}

void use_up_mpi() { const mpi::environment environment(arguments, values, mpi::threading::serialized); }

int start(const std::string& what) {
  if (what == "run-in-run") return run_with(run_here);
  if (what == "world-in-run") return run_with(pool_on_world);
  if (what == "self-in-run") return run_with(pools_on_self_nested);
  if (what == "run-in-pool") return own_mpi_with(run_here), 0;
  if (what == "world-in-pool") return own_mpi_with(pool_on_world), 0;
  if (what == "self-in-pool") return own_mpi_with(pools_on_self_nested), 0;
  if (what == "moved-away") return moved_away(), 0;
  if (what == "two-threads") return two_threads(), 0;
  if (what == "run-twice") {
    const int first = run_once();
    return first != 0 ? first : run_once();
  }
  if (what == "run-below-serialized") {
    const mpi::environment environment(arguments, values, mpi::threading::single);
    return run_once();
  }
  if (what == "run-after-mpi") return use_up_mpi(), run_once();
  if (what == "pool-after-mpi") {
    use_up_mpi();
    std::printf("after MPI: %s\n", pool_on_world(0).c_str());
    return 0;
  }
  throw std::invalid_argument("nested_program: unknown start '" + what + "'");
}

}  // namespace

int main(int argc, char** argv) {
  arguments = argc;
  values = argv;
  return start(argc > 1 ? argv[1] : "");
}

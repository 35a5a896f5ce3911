// Of five ranks, three form a pool and two do MPI work of their own. Each side waits until the other is in the middle of its work.
// The two ranks also receive from any source and with any tag on the world communicator, and must not get messages of the pool.
#include <rankpool/rankpool.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>
#include <boost/serialization/string.hpp>

#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mpi = boost::mpi;

namespace {

void leave_mark(const std::string& path) { std::ofstream mark(path); }

void wait_for_mark(const std::string& path) {
  for (int n = 0; n < 20'000; ++n) {
    if (std::filesystem::exists(path)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw std::runtime_error("nobody left " + path);
}

/// Starts before the other ranks' work begins, and ends after it has ended.
int stay(const std::string& here, const std::string& neighbours_done) {
  leave_mark(here);
  wait_for_mark(neighbours_done);
  return 1;
}

int square(int n) { return n * n; }

int compute(rankpool::executor& pool, const std::string& scratch) {
  std::vector<rankpool::future<int>> stays;
  for (const std::string name : {"/a", "/b"}) stays.push_back(pool.submit(stay, scratch + name, scratch + "/done"));
  int sum = 0;
  for (auto& task : stays) sum += task.result();
  for (const int n : pool.map(square, std::views::iota(1, 11))) sum += n;
  return sum;
}

/// Exchanges messages between world ranks 3 and 4, whose own communicator is `part`.
int talk(const mpi::communicator& world, const mpi::communicator& part, const std::string& scratch) {
  for (const std::string name : {"/a", "/b"}) wait_for_mark(scratch + name);
  int sum = 0;
  for (int n = 0; n < 1000; ++n) {
    sum += mpi::all_reduce(part, 1, std::plus<>{});
    if (world.rank() == 3) {
      world.send(4, n, std::string("to a neighbour"));
    } else {
      std::string text;
      const mpi::status from = world.recv(mpi::any_source, mpi::any_tag, text);
      if (from.source() != 3 || from.tag() != n || text != "to a neighbour") throw std::runtime_error("not from the neighbour");
    }
  }
  part.barrier();
  leave_mark(scratch + "/done");
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const mpi::environment environment(argc, argv, mpi::threading::serialized);
  const mpi::communicator world;
  std::string scratch = (std::filesystem::temp_directory_path() / "rankpool-neighbours-XXXXXX").string();
  if (world.rank() == 0) scratch = mkdtemp(scratch.data());
  mpi::broadcast(world, scratch, 0);

  const bool in_pool = world.rank() < 3;
  const mpi::communicator part = world.split(in_pool ? 0 : 1);
  int sum = 0;
  if (in_pool) {
    rankpool::with_executor(part, 1, [&](rankpool::executor& pool) { sum = compute(pool, scratch); });
    mpi::broadcast(part, sum, 1);
  } else {
    sum = talk(world, part, scratch);
  }
  std::vector<int> sums;
  mpi::gather(world, sum, sums, 0);
  if (world.rank() == 0) {
    std::printf("the pool: %d, the others: %d\n", sums.front(), sums.back());
    std::filesystem::remove_all(scratch);
  }
  return 0;
}

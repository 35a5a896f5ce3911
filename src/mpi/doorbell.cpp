#include "doorbell.hpp"

#include "mpi_check.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <new>
#include <numeric>

namespace rankpool::detail {

doorbells::doorbells(const boost::mpi::communicator& world) : bells_(static_cast<std::size_t>(world.size())) {
  mpi_check(MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, world.rank(), MPI_INFO_NULL, &node_), "MPI_Comm_split_type");
  int node_size = 0;
  int node_rank = 0;
  MPI_Comm_size(node_, &node_size);
  MPI_Comm_rank(node_, &node_rank);
  all_on_node_ = node_size == world.size();
  ranks_on_node_ = node_size;
  if (node_size == 1) {
    bells_[static_cast<std::size_t>(world.rank())] = own_;
    return;
  }
  void* mine = nullptr;
  mpi_check(MPI_Win_allocate_shared(sizeof(bell), 1, MPI_INFO_NULL, node_, &mine, &window_), "MPI_Win_allocate_shared");
  own_ = new (mine) bell{};

  MPI_Group world_group = MPI_GROUP_NULL;
  MPI_Group node_group = MPI_GROUP_NULL;
  MPI_Comm_group(world, &world_group);
  MPI_Comm_group(node_, &node_group);
  std::vector<int> on_node(static_cast<std::size_t>(node_size));
  std::vector<int> in_world(on_node.size());
  std::iota(on_node.begin(), on_node.end(), 0);
  MPI_Group_translate_ranks(node_group, node_size, on_node.data(), world_group, in_world.data());
  MPI_Group_free(&world_group);
  MPI_Group_free(&node_group);
  for (int r = 0; r < node_size; ++r) {
    MPI_Aint size = 0;
    int unit = 0;
    void* at = nullptr;
    mpi_check(MPI_Win_shared_query(window_, r, &size, &unit, &at), "MPI_Win_shared_query");
    bells_[static_cast<std::size_t>(in_world[static_cast<std::size_t>(r)])] = static_cast<bell*>(at);
  }
  MPI_Barrier(node_);  // nobody rings a bell that is not made yet
}

doorbells::~doorbells() {
  if (window_ != MPI_WIN_NULL) MPI_Win_free(&window_);
  if (node_ != MPI_COMM_NULL) MPI_Comm_free(&node_);
}

void doorbells::ring(bell& b) {
  b.rings.fetch_add(1);
  if (b.sleepers.load() != 0) syscall(SYS_futex, &b.rings, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void doorbells::ring(int rank) {
  if (bell* b = bells_[static_cast<std::size_t>(rank)]) ring(*b);
}

void doorbells::sleep(std::uint32_t seen, std::chrono::nanoseconds at_most) {
  if (at_most.count() > 0) {
    const timespec limit{static_cast<time_t>(at_most.count() / 1'000'000'000), static_cast<long>(at_most.count() % 1'000'000'000)};
    syscall(SYS_futex, &own_->rings, FUTEX_WAIT, seen, &limit, nullptr, 0);  // any reason to return is a good one
  }
  cancel_sleep();
}

}  // namespace rankpool::detail

// Defines doorbells: their shared memory, and the futex calls that sleep and wake.
#include "mpi/doorbell.hpp"

#include "mpi/mpi_check.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <memory>
#include <new>
#include <numeric>

namespace rankpool::detail {
namespace {

constexpr std::uint32_t in_upper_half = 1 << 16;

// The bits of FUTEX_WAKE_BITSET that select the threads to wake.
constexpr std::uint32_t sleeping = 1;
constexpr std::uint32_t dozing = 2;

void wake(std::atomic<std::uint32_t>& rings, std::uint32_t who) {
  syscall(SYS_futex, &rings, FUTEX_WAKE_BITSET, INT_MAX, nullptr, nullptr, who);
}

// Sleeps while `rings` is equal to `seen`, but not after `until`. It may return earlier.
void wait(std::atomic<std::uint32_t>& rings, std::uint32_t seen, std::chrono::steady_clock::time_point until, std::uint32_t as) {
  const auto at = until.time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  const timespec limit{static_cast<time_t>(whole.count()), static_cast<long>((at - whole).count())};
  syscall(SYS_futex, &rings, FUTEX_WAIT_BITSET, seen, &limit, nullptr, as);
}

}  // namespace

doorbells::doorbells(const boost::mpi::communicator& world) : rank_(world.rank()), bells_(static_cast<std::size_t>(world.size())) {
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
  mpi_check(MPI_Win_allocate_shared(2 * sizeof(bell), 1, MPI_INFO_NULL, node_, &mine, &window_), "MPI_Win_allocate_shared");
  own_ = new (place_in(mine)) bell{};

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
    bells_[static_cast<std::size_t>(in_world[static_cast<std::size_t>(r)])] = static_cast<bell*>(place_in(at));
  }
  MPI_Barrier(node_);  // no rank rings a bell before it is constructed
}

doorbells::~doorbells() {
  if (window_ != MPI_WIN_NULL) MPI_Win_free(&window_);
  if (node_ != MPI_COMM_NULL) MPI_Comm_free(&node_);
}

// Returns the address of a bell within memory of twice its size. MPI aligns the memory to less than a bell needs. All processes
// compute the same place, because they map the same pages.
void* doorbells::place_in(void* memory) {
  std::size_t room = 2 * sizeof(bell);
  return std::align(alignof(bell), sizeof(bell), memory, room);
}

void doorbells::ring(bell& b, bool urgent, std::uint32_t messages) {
  if (messages != 0) b.messages.fetch_add(messages);
  b.rings.fetch_add(urgent ? in_upper_half + 1 : 1);
  const std::uint32_t who = (b.sleepers.load() != 0 ? sleeping : 0) | (urgent && b.dozers.load() != 0 ? dozing : 0);
  if (who != 0) wake(b.rings, who);
}

void doorbells::ring(int rank, bool urgent) {
  if (bell* b = bells_[static_cast<std::size_t>(rank)]) ring(*b, urgent, 1);
}

void doorbells::prompt(int rank) {
  if (bell* b = bells_[static_cast<std::size_t>(rank)]) ring(*b, true, 0);
}

void doorbells::warn(int rank) {
  bell* const b = bells_[static_cast<std::size_t>(rank)];
  if (b == nullptr) return;
  b->warned_by.store(static_cast<std::uint32_t>(rank_) + 1);
  ring(*b, true, 0);
}

void doorbells::sleep(std::uint32_t seen, std::chrono::nanoseconds at_most) {
  if (at_most.count() > 0) wait(own_->rings, seen, std::chrono::steady_clock::now() + at_most, sleeping);
  cancel_sleep();
}

void doorbells::doze(std::uint32_t seen, std::chrono::steady_clock::time_point until) {
  own_->dozers.fetch_add(1);
  for (std::uint32_t now = rings(); (now ^ seen) < in_upper_half; now = rings()) {
    wait(own_->rings, now, until, dozing);
    if (rings() == now || std::chrono::steady_clock::now() >= until) break;
  }
  own_->dozers.fetch_sub(1);
}

}  // namespace rankpool::detail

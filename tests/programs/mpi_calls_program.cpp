// Counts the pool's MPI calls with PMPI: coalesced tasks do not cost a message each, no call blocks, and nothing is left at the end
// of a pool.
//
// Prints the errors, or one line if there are none. Counts only calls for the pool's messages.
#include <rankpool/rankpool.hpp>

#include <mpi.h>
#include <boost/mpi/collectives.hpp>
#include <boost/mpi/environment.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace {

struct counts {
  std::atomic<long> sends = 0;
  std::atomic<long> receives = 0;
  std::atomic<long> requests = 0;  // not yet completed
  std::atomic<long> communicators = 0;
  std::atomic<long> windows = 0;
  std::atomic<long> groups = 0;
  std::atomic<long> matched = 0;  // probed messages not yet received
  std::atomic<long> blocking = 0;
};
counts own;

void completed_if(int code, bool was_open, const MPI_Request* request) {
  if (code == MPI_SUCCESS && was_open && *request == MPI_REQUEST_NULL) --own.requests;
}

}  // namespace

extern "C" {

int MPI_Isend(const void* data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request* request) {
  ++own.sends;
  ++own.requests;
  return PMPI_Isend(data, n, type, to, tag, comm, request);
}
int MPI_Irecv(void* data, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request* request) {
  ++own.receives;
  ++own.requests;
  return PMPI_Irecv(data, n, type, from, tag, comm, request);
}
int MPI_Improbe(int from, int tag, MPI_Comm comm, int* found, MPI_Message* message, MPI_Status* status) {
  const int code = PMPI_Improbe(from, tag, comm, found, message, status);
  if (*found != 0) ++own.matched;
  return code;
}
int MPI_Imrecv(void* data, int n, MPI_Datatype type, MPI_Message* message, MPI_Request* request) {
  ++own.receives;
  ++own.requests;
  --own.matched;
  return PMPI_Imrecv(data, n, type, message, request);
}
int MPI_Test(MPI_Request* request, int* done, MPI_Status* status) {
  const bool was_open = *request != MPI_REQUEST_NULL;
  const int code = PMPI_Test(request, done, status);
  completed_if(code, was_open, request);
  return code;
}
int MPI_Wait(MPI_Request* request, MPI_Status* status) {
  const bool was_open = *request != MPI_REQUEST_NULL;
  if (was_open) ++own.blocking;
  const int code = PMPI_Wait(request, status);
  completed_if(code, was_open, request);
  return code;
}
int MPI_Send(const void* data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  ++own.blocking;
  return PMPI_Send(data, n, type, to, tag, comm);
}
int MPI_Recv(void* data, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Status* status) {
  ++own.blocking;
  return PMPI_Recv(data, n, type, from, tag, comm, status);
}
int MPI_Probe(int from, int tag, MPI_Comm comm, MPI_Status* status) {
  ++own.blocking;
  return PMPI_Probe(from, tag, comm, status);
}
int MPI_Mprobe(int from, int tag, MPI_Comm comm, MPI_Message* message, MPI_Status* status) {
  ++own.blocking;
  return PMPI_Mprobe(from, tag, comm, message, status);
}
int MPI_Comm_dup(MPI_Comm comm, MPI_Comm* copy) {
  ++own.communicators;
  return PMPI_Comm_dup(comm, copy);
}
int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm* part) {
  ++own.communicators;
  return PMPI_Comm_split_type(comm, type, key, info, part);
}
int MPI_Comm_free(MPI_Comm* comm) {
  --own.communicators;
  return PMPI_Comm_free(comm);
}
int MPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void* base, MPI_Win* window) {
  ++own.windows;
  return PMPI_Win_allocate_shared(size, unit, info, comm, base, window);
}
int MPI_Win_free(MPI_Win* window) {
  --own.windows;
  return PMPI_Win_free(window);
}
int MPI_Comm_group(MPI_Comm comm, MPI_Group* group) {
  ++own.groups;
  return PMPI_Comm_group(comm, group);
}
int MPI_Group_free(MPI_Group* group) {
  --own.groups;
  return PMPI_Group_free(group);
}

}  // extern "C"

namespace {

constexpr int tasks = 20'000;
constexpr std::size_t large = 3 << 20;

int nothing(int n) { return n; }
std::size_t size_of(const std::vector<char>& bytes) { return bytes.size(); }
std::vector<char> make(std::size_t n) { return std::vector<char>(n, 'x'); }
int fail(int n) { throw std::runtime_error(std::to_string(n)); }

int wrong = 0;
void check(bool holds, const std::string& what) {
  if (holds) return;
  ++wrong;
  std::cout << what << std::endl;
}

// Work of all kinds: single tasks, a map, large values, failures, cancelled tasks and dropped results.
void work(rankpool::executor& pool) {
  const long before = own.sends;
  std::vector<rankpool::future<int>> many;
  for (int n = 0; n < tasks; ++n) many.push_back(pool.submit(nothing, n));
  for (auto& f : many) (void)f.result();
  const long cost = own.sends - before;
  check(cost < tasks / 10, std::to_string(tasks) + " tasks took " + std::to_string(cost) + " sends");
  check(pool.submit(size_of, std::vector<char>(large)).result() == large, "a large argument came to harm");
  check(pool.submit(make, large).result().size() == large, "a large result came to harm");
  check(pool.submit(fail, 1).exception() != nullptr, "a failure got lost");
  for (int n = 0; n < 1000; ++n) (void)pool.submit(nothing, n).cancel();
  (void)pool.map(nothing, many.size() > 0 ? std::vector(1000, 1) : std::vector<int>());  // its results are destroyed immediately
}

}  // namespace

int main(int argc, char** argv) {
  const boost::mpi::environment mpi(argc, argv, boost::mpi::threading::serialized);
  const boost::mpi::communicator world;
  for (int root = 0; root < world.size(); ++root) {
    rankpool::with_executor(world, root, work);
    const std::array mine{own.sends.load(),   own.receives.load(), own.requests.load(), own.communicators.load(),
                          own.windows.load(), own.groups.load(),   own.matched.load(),  own.blocking.load()};
    std::array<long, mine.size()> all{};
    boost::mpi::all_reduce(world, mine.data(), static_cast<int>(mine.size()), all.data(), std::plus<>());
    if (world.rank() != 0) continue;
    check(all[0] > 0, "nothing was counted");
    check(all[0] == all[1], std::to_string(all[0]) + " messages were sent and " + std::to_string(all[1]) + " received");
    constexpr std::array kinds{"requests", "communicators", "windows", "groups", "probed messages"};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      check(all[i + 2] == 0, std::to_string(all[i + 2]) + " " + kinds[i] + " are left over");
    }
    check(all[7] == 0, std::to_string(all[7]) + " calls could have blocked");
  }
  if (world.rank() == 0 && wrong == 0) std::cout << "nothing is wrong" << std::endl;
  return boost::mpi::all_reduce(world, wrong, std::plus<>()) == 0 ? 0 : 1;
}

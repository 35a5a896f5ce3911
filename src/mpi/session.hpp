// One pool over a communicator: the collective handshake, the roles, and the end.
#pragma once

#include <rankpool/cluster.hpp>

#include <boost/mpi/communicator.hpp>
#include <mpi.h>

#include <chrono>
#include <functional>
#include <optional>

namespace rankpool::detail {

/// While it lives, this process has a pool on that communicator. Throws rankpool::error if it has one already: a second
/// would wait for ever for ranks that serve the first. On MPI_COMM_SELF there is nobody to wait for.
class communicator_in_use {
 public:
  explicit communicator_in_use(MPI_Comm communicator);
  communicator_in_use(const communicator_in_use&) = delete;
  communicator_in_use& operator=(const communicator_in_use&) = delete;
  ~communicator_in_use();

 private:
  const MPI_Comm communicator_;
};

/// Collective. `lead` runs on root and returns the exit status, which every rank returns; the others serve. What
/// `lead` throws goes to `failed`, which returns the status instead; workers that have not ended what they run
/// within `patience` from then on are aborted, and this process with them.
/// Throws rankpool::error on every rank if the ranks do not run the same build. What fails on a worker later on aborts
/// MPI: unwinding would make calls that are collective, and wait for ever for the other ranks.
int run_session(const boost::mpi::communicator& world, int root, const std::function<int(cluster&)>& lead,
                const std::function<int(const std::exception_ptr&)>& failed, std::optional<std::chrono::nanoseconds> patience);

/// The same in this process alone, without MPI.
int run_inline(const std::function<int(cluster&)>& lead, const std::function<int(const std::exception_ptr&)>& failed);

}  // namespace rankpool::detail

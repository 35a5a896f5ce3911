// One pool over a communicator: the collective handshake, the roles, and the end.
#pragma once

#include <rankpool/cluster.hpp>

#include <boost/mpi/communicator.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace rankpool::detail {

/// Collective. `lead` runs on root and returns the exit status, which every rank returns; the others serve. What
/// `lead` throws goes to `failed`, which returns the status instead; workers that have not ended what they run
/// within `patience` from then on are aborted, and this process with them.
/// Throws rankpool::error on every rank if the ranks do not run the same build.
int run_session(const boost::mpi::communicator& world, int root, const std::function<int(cluster&)>& lead,
                const std::function<int(const std::exception_ptr&)>& failed, std::optional<std::chrono::nanoseconds> patience);

/// The same in this process alone, without MPI.
int run_inline(const std::function<int(cluster&)>& lead, const std::function<int(const std::exception_ptr&)>& failed);

}  // namespace rankpool::detail

// with_executor(): a pool inside a program that owns MPI.
#include <rankpool/run.hpp>

#include "mpi/launch_environment.hpp"
#include "mpi/session.hpp"

#include "support/log.hpp"

#include <mpi.h>
#include <boost/mpi/communicator.hpp>

#include <stdexcept>
#include <string>

namespace rankpool::detail {

void serve_or_lead(const boost::mpi::communicator& communicator, int root, const std::function<void(cluster&)>& lead) {
  int finalised = 0;
  MPI_Finalized(&finalised);
  if (finalised != 0) {
    throw error(
        "with_executor: MPI has been finalised in this process; keep the boost::mpi::environment until the last pool has ended");
  }
  int initialised = 0;
  MPI_Initialized(&initialised);
  if (initialised == 0) throw error("with_executor: MPI is not initialised; create a boost::mpi::environment first");
  if (!communicator) throw std::invalid_argument("with_executor: the communicator is null");
  int inter = 0;
  MPI_Comm_test_inter(communicator, &inter);
  if (inter != 0) throw std::invalid_argument("with_executor: an intercommunicator cannot hold a pool; merge it first");
  if (root < 0 || root >= communicator.size()) {
    throw std::invalid_argument("with_executor: root must be a rank from 0 to " + std::to_string(communicator.size() - 1) +
                                ", got " + std::to_string(root));
  }
  mark_environment();
  const communicator_in_use scope(communicator);
  std::exception_ptr failure;
  const auto run = [&](cluster& c) {
    lead(c);
    return 0;
  };
  const auto failed = [&](const std::exception_ptr& e) {
    failure = e;
    return 1;
  };
  if (communicator.size() == 1) {
    (void)run_inline(run, failed);
  } else {
    int provided = MPI_THREAD_SINGLE;
    MPI_Query_thread(&provided);
    if (provided < MPI_THREAD_MULTIPLE && has_other_pool_over_ranks(communicator)) {
      throw error(
          "with_executor: this process already runs a pool, and threads of both would call MPI at once: initialise MPI with "
          "MPI_THREAD_MULTIPLE (boost::mpi::threading::multiple)");
    }
    if (provided < MPI_THREAD_SERIALIZED && communicator.rank() == root) {
      log_line(
          "with_executor: MPI was initialised below MPI_THREAD_SERIALIZED, which the progress thread requires; use "
          "boost::mpi::environment env(argc, argv, boost::mpi::threading::serialized)");
    }
    (void)run_session(communicator, root, run, failed, {});
  }
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace rankpool::detail

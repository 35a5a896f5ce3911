// Workarounds for differences between versions of Open MPI.
#pragma once

#include <string>
#include <vector>

namespace rankpool::detail {

/// Returns the options for mpirun that depend on its version.
///
/// They keep Open MPI 4 from reporting failures, which rankpool reports itself; Open MPI 5 has no such option. They make Open MPI 5
/// pass the output of the workers on as it arrives: by default, 5.0.7 may complete a line of one stream with text of another.
std::vector<std::string> launcher_options();

/// Returns the options with which mpirun lets the other ranks run on when one ends, and, with Open MPI 4, when a node fails.
/// Empty: this version cannot.
std::vector<std::string> recovery_options();
/// Returns whether the launcher of this rank was started with these options.
bool has_recovery();

/// Returns whether the user has chosen the transport of MPI's messages. By default, the ranks of a node use shared memory.
bool is_transport_chosen();

/// Gives SIGHUP its default action again if UCX has replaced it.
///
/// Open MPI may load the communication library UCX. UCX handles SIGHUP, which starts its debug mode and does not end the process.
/// Other handlers, and an ignored SIGHUP, stay as they are.
void restore_hangup_action();

/// Keeps Open MPI 5 from writing a false error while MPI is initialised.
///
/// Open MPI 5 asks the kernel for a route between the network interfaces of every two ranks. Two ranks of one node have no such
/// route, so each of them writes "Unable to find reachable pairing between local and remote interfaces", although they
/// communicate through shared memory. If all ranks are on one node, this class makes Open MPI compare addresses instead.
///
/// Lifetime: the initialisation of MPI. Thread safety: no other thread may read the environment meanwhile.
class reachability_setting {
 public:
  reachability_setting();
  ~reachability_setting();
  reachability_setting(const reachability_setting&) = delete;
  reachability_setting& operator=(const reachability_setting&) = delete;

 private:
  bool is_set_ = false;
};

}  // namespace rankpool::detail

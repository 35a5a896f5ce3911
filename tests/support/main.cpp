// The test program: rank 0 runs Catch2, and every other rank serves tasks.
//
// If each rank ran Catch2, one could fail unnoticed, or pass without serving tasks. In this program, every rank ends with the
// status of rank 0. With RANKPOOL_TEST_THREADS=n, the workers are n threads, with RANKPOOL_TEST_SOCKETS as well over sockets. Use
// assertions only on the main thread of rank 0, because Catch2 does not support others.
#include "support/cluster.hpp"
#include "support/record.hpp"
#include "support/run_catch.hpp"
#include "support/thread_cluster.hpp"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace support {
namespace {
rankpool::cluster* current = nullptr;
}

rankpool::cluster& cluster() {
  if (current == nullptr) throw std::logic_error("support::cluster() is for test cases only");
  return *current;
}

bool are_threads() { return !is_inline() && cluster().workers().front().pid == getpid(); }

bool is_inline() { return cluster().workers().front().rank == 0; }

int workers() { return cluster().num_workers(); }

cluster_scope::cluster_scope(rankpool::cluster& cluster) { current = &cluster; }

cluster_scope::~cluster_scope() { current = nullptr; }

}  // namespace support

int main(int argc, char** argv) {
  const auto run_tests = [&](rankpool::cluster& cluster) {
    const support::cluster_scope scope(cluster);
    const char* default_tests = support::is_inline() ? "~[ranks]" : support::are_threads() ? "~[processes]" : "";
    const int status = support::run_catch(argc, argv, default_tests);
    return status != 0 ? status : support::faults_without_computation();
  };
  if (const char* threads = std::getenv("RANKPOOL_TEST_THREADS"))
    return support::run_on_threads(std::atoi(threads), std::getenv("RANKPOOL_TEST_SOCKETS") != nullptr, run_tests);
  return rankpool::run(argc, argv, run_tests);
}

// The thread sanitizer calls this function. libstdc++ counts the references to an exception in code that is not instrumented. The
// sanitizer would report a race between the thread that releases the last reference and the threads that have read the exception.
extern "C" const char* __tsan_default_suppressions() { return "race:std::runtime_error::~runtime_error\n"; }

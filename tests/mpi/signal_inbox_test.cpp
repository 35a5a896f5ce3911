// The queue of signals in the process that starts the launcher.
#include "mpi/signal_inbox.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <csignal>

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using rankpool::detail::signal_inbox;

volatile std::sig_atomic_t terminations = 0;
void count(int) { terminations = terminations + 1; }

/// Counts SIGTERM during its lifetime.
class counted {
 public:
  counted() : before_(std::signal(SIGTERM, count)) { terminations = 0; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { std::signal(SIGTERM, before_); }

 private:
  void (*before_)(int);
};

}  // namespace

TEST_CASE("an inbox queues signals, and restores their actions when it is destroyed") {
  const counted scope;
  {
    signal_inbox inbox;
    std::raise(SIGTERM);
    std::raise(SIGINT);
    CHECK(inbox.next() == SIGTERM);
    CHECK(inbox.next() == SIGINT);
    CHECK(inbox.next() == 0);
  }
  CHECK(terminations == 0);
  std::raise(SIGTERM);
  CHECK(terminations == 1);
}

TEST_CASE("a repeated stop signal is ignored for a while after the inbox is destroyed, and then has its action again") {
  const counted scope;
  for (int launch = 0; launch < 2; ++launch) {
    {
      signal_inbox inbox;
      inbox.ignore_repetitions(clock::now() + 1h);
    }
    std::raise(SIGTERM);
    CHECK(terminations == 0);
  }
  {
    signal_inbox inbox;
    inbox.ignore_repetitions(clock::now());
  }
  std::raise(SIGTERM);
  CHECK(terminations == 1);
  std::raise(SIGTERM);
  CHECK(terminations == 2);
}

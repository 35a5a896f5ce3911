// The transition tables of chunks, the pool and executors.
#include "dispatcher/lifecycle.hpp"
#include "scheduler/chunk_state.hpp"
#include "scheduler/scheduler_state.hpp"
#include "support/catch.hpp"

#include <rankpool/detail/client/executor_core.hpp>

#include <initializer_list>
#include <map>
#include <set>
#include <stdexcept>

namespace {

using namespace rankpool::detail;

/// Checks that may_become() allows exactly these transitions.
template <class State>
void check_table(std::initializer_list<State> all, const std::map<State, std::set<State>>& allowed) {
  for (const State from : all) {
    for (const State to : all) {
      CAPTURE(static_cast<int>(from), static_cast<int>(to));
      const auto row = allowed.find(from);
      CHECK(may_become(from, to) == (row != allowed.end() && row->second.contains(to)));
    }
  }
}

}  // namespace

TEST_CASE("a chunk goes from queued to sent to an outcome, and back to rank 0 when it is recalled or its worker is lost") {
  using enum chunk_state;
  check_table({queued, sent, started, recalling, lost, done, failed, cancelled},
              {
                  {queued, {sent, failed, cancelled}},
                  {sent, {started, recalling, lost, done, failed}},
                  {started, {lost, done, failed}},
                  {recalling, {queued, started, lost, done, failed}},
                  {lost, {sent, failed, cancelled}},
              });
}

TEST_CASE("a chunk refuses a transition that is not in the table") {
  tracked_chunk c;
  c.become(chunk_state::sent);
  c.become(chunk_state::started);
  CHECK_THROWS_WITH(c.become(chunk_state::queued), support::containing("started cannot become queued"));
  CHECK(c.state == chunk_state::started);
}

TEST_CASE("a pool only moves towards its end") {
  using enum pool_state;
  check_table({running, draining, stopping, ending, ended, failed}, {
                                                                        {running, {draining, stopping, ending, failed}},
                                                                        {draining, {stopping, ending, failed}},
                                                                        {stopping, {ending, failed}},
                                                                        {ending, {ended, failed}},
                                                                        {ended, {failed}},
                                                                    });
}

TEST_CASE("an executor only moves towards its end") {
  using enum executor_state;
  check_table({open, broken, shut_down, closed}, {
                                                     {open, {broken, shut_down}},
                                                     {broken, {shut_down}},
                                                     {shut_down, {closed}},
                                                 });
}

TEST_CASE("a pool is stopped early once, and not after its end") {
  lifecycle life;
  life.set_grace_period(std::chrono::seconds(10));
  const steady_time now{};
  CHECK(life.stop_early("first", now));
  CHECK_FALSE(life.stop_early("second", now));
  CHECK_THROWS_WITH(std::rethrow_exception(life.stop_reason()), "first");
  CHECK_FALSE(life.is_grace_period_over(now + std::chrono::seconds(9)));
  CHECK(life.is_grace_period_over(now + std::chrono::seconds(10)));
  CHECK_FALSE(life.become(pool_state::draining));
  CHECK(life.become(pool_state::ending));
  CHECK_FALSE(life.is_grace_period_over(now + std::chrono::seconds(10)));

  lifecycle other;
  REQUIRE(other.become(pool_state::ending));
  CHECK_FALSE(other.stop_early("too late", now));
  CHECK_FALSE(other.is_stopped_early());
}

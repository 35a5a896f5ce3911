// Turns the events of the watch into losses with their causes, and kills ranks that are not useful any more.
#include "mpi/lost_ranks.hpp"

#include "support/process_table.hpp"

#include <signal.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace rankpool::detail {
namespace {

std::vector<pid_t> keys(const std::map<pid_t, int>& processes) {
  std::vector<pid_t> all;
  for (const auto& [process, rank] : processes) all.push_back(process);
  return all;
}

}  // namespace

lost_ranks::lost_ranks(const std::map<pid_t, int>& processes, note_reader note, std::function<void()> on_loss,
                       std::chrono::nanoseconds stopped_limit)
    : ranks_(processes),
      note_(std::move(note)),
      on_loss_(std::move(on_loss)),
      stopped_limit_(stopped_limit),
      watch_(
          keys(processes), [this](pid_t process, process_watch::event what) { on_event(process, what); }, stopped_limit) {}

void lost_ranks::on_event(pid_t process, process_watch::event what) {
  loss l{ranks_.at(process), {}, {}};
  switch (what) {
    case process_watch::event::ended:
      l.end = note_(l.rank);
      l.cause = l.end.description();
      break;
    case process_watch::event::replaced: l.cause = "ran another program, because a task had called exec(); it was killed"; break;
    case process_watch::event::stopped: {
      std::ostringstream text;
      text << "was stopped for " << std::chrono::duration<double>(stopped_limit_).count() << " s, as by SIGSTOP; it was killed";
      l.cause = text.str();
      break;
    }
  }
  if (what != process_watch::event::ended) {
    l.end = {.signal = SIGKILL, .is_known = true};
    ::kill(process, SIGKILL);
  }
  {
    const std::lock_guard lock(mutex_);
    losses_.push_back(std::move(l));
    any_ = true;
  }
  on_loss_();
}

bool lost_ranks::has_ended(int rank) const {
  const auto watched = std::ranges::find(ranks_, rank, &std::pair<const pid_t, int>::second);
  if (watched == ranks_.end()) return false;
  const auto found = find_process(watched->first);
  return !found || !found->is_running();
}

std::optional<lost_ranks::loss> lost_ranks::take() {
  const std::lock_guard lock(mutex_);
  if (losses_.empty()) return std::nullopt;
  loss first = std::move(losses_.front());
  losses_.erase(losses_.begin());
  any_ = !losses_.empty();
  return first;
}

}  // namespace rankpool::detail

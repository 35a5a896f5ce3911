#include "report/findings.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

#include "support/in_quotes.hpp"
#include "support/in_words.hpp"

namespace jobs {
namespace {

using seconds = std::chrono::duration<double>;

constexpr std::uint64_t least_tasks = 20;  // of a worker whose mean is compared
constexpr double worth_saying = 0.03;      // of the workers' time

struct finding {
  double cost = 0;  // share of the workers' time
  std::string text;
};
using found = std::vector<finding>;

std::string place_of(const run_data::worker& w) { return std::to_string(w.rank) + " (" + w.host + ")"; }

std::string first_line(const std::string& text) { return printable(shortened(text.substr(0, text.find('\n')), 300)); }

double workers_time(const run_data& run) { return run.seconds * static_cast<double>(run.workers.size()); }

double mean_seconds_per_task(const run_data& run) {
  const std::uint64_t tasks = run.tasks();
  return tasks == 0 ? 0 : run.busy() / static_cast<double>(tasks);
}

void add_slow_start(const run_data& run, found& all) {
  double waited = 0;
  for (const auto& w : run.workers) {
    if (w.tasks > 0) waited += w.first;
  }
  const double share = waited / workers_time(run);
  if (share < worth_saying) return;
  all.push_back(
      {share, "Workers waited " + percent_in_words(share) +
                  " of their time for their first task. Possible causes: the program submitted it late, or it read its input "
                  "first."});
}

void add_end(const run_data& run, found& all) {
  double waited = 0;
  const run_data::worker* last = nullptr;
  double second = 0;  // when all but the last worker had finished
  double end = 0;
  for (const auto& w : run.workers) {
    if (w.tasks == 0 || w.lost) continue;
    if (last == nullptr || w.last > last->last) {
      second = last == nullptr ? 0 : last->last;
      last = &w;
    } else {
      second = std::max(second, w.last);
    }
    end = std::max(end, w.last);
  }
  if (last == nullptr) return;
  for (const auto& w : run.workers) {
    if (w.tasks > 0 && !w.lost) waited += end - w.last;
  }
  const double share = waited / workers_time(run);
  if (share < worth_saying) return;
  std::string text = "At the end, workers waited " + percent_in_words(share) + " of their time, because no task was left for them.";
  const auto longest = std::ranges::find_if(run.slowest, [&](const run_data::slow_chunk& s) {
    return run.workers[s.worker].rank == last->rank && s.begin + s.taken >= end * 0.999;
  });
  if (longest != run.slowest.end()) {
    const bool is_one = longest->tasks == 1;
    text += (is_one ? std::string(" The last task took ") : " The last chunk, of " + counted(longest->tasks, "task") + ", took ") +
            in_words(seconds(longest->taken)) + " on rank " + place_of(*last) + " and began after " +
            percent_in_words(longest->begin / run.seconds) + " of the run; for " +
            in_words(seconds(end - std::max(second, longest->begin))) + " it ran alone. " +
            (is_one ? "Submit long tasks first, or divide them." : "Use a smaller chunksize, or put long items first.");
  } else {
    text += " Rank " + place_of(*last) + " finished last.";
  }
  all.push_back({share, std::move(text)});
}

/// The program went on after its tasks.
void add_time_after_tasks(const run_data& run, found& all) {
  double end = 0;
  for (const auto& w : run.workers) end = std::max(end, w.last);
  const double share = (run.seconds - end) / run.seconds;
  if (share < worth_saying) return;
  all.push_back({share, "After the last task, the run went on for " + in_words(seconds(run.seconds - end)) + ", " +
                            percent_in_words(share) +
                            " of its time. Possible causes: rank 0 computed with the results, or wrote its output."});
}

void add_short_tasks(const run_data& run, found& all) {
  const double mean = mean_seconds_per_task(run);
  const double idle = 1 - run.busy_share();
  std::uint64_t chunks = 0;
  for (const auto& w : run.workers) chunks += w.chunks;
  const double per_chunk = chunks == 0 ? 0 : run.busy() / static_cast<double>(chunks);
  if (chunks < 1000 || per_chunk > 50e-6 || idle < 0.1) return;
  all.push_back(
      {idle, "Workers waited " + percent_in_words(idle) + " of their time: tasks of " + in_words(seconds(mean)) +
                 " are shorter than the time that it takes to send them one by one. Put more work into a task, or use map, "
                 "which sends many items together."});
}

/// Returns the time of a task of each worker, without its slowest chunk, which may be a task unlike the others; 0 if it had few
/// tasks.
std::vector<double> usual_times(const run_data& run) {
  std::vector<run_data::worker> workers = run.workers;
  std::vector<bool> is_counted(workers.size());
  for (const auto& slow : run.slowest) {  // in descending order
    if (is_counted[slow.worker]) continue;
    is_counted[slow.worker] = true;
    workers[slow.worker].busy -= slow.taken;
    workers[slow.worker].tasks -= std::min(slow.tasks, workers[slow.worker].tasks);
  }
  std::vector<double> times;
  for (const auto& w : workers) times.push_back(w.tasks < least_tasks ? 0 : w.busy / static_cast<double>(w.tasks));
  return times;
}

void add_slow_workers(const run_data& run, found& all) {
  if (run.functions.size() != 1 && !std::ranges::any_of(run.functions, [&](const auto& f) { return f.busy > 0.8 * run.busy(); })) {
    return;  // workers have different tasks, and their means differ for that reason
  }
  const std::vector<double> times = usual_times(run);
  std::vector<double> means;
  std::ranges::copy_if(times, std::back_inserter(means), [](double time) { return time > 0; });
  if (means.size() < 4) return;  // otherwise, none of them is usual
  const auto middle = means.begin() + static_cast<std::ptrdiff_t>((means.size() - 1) / 2);
  std::ranges::nth_element(means, middle);
  const double usual = *middle;
  std::vector<std::pair<double, const run_data::worker*>> slow;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] > 1.5 * usual) slow.emplace_back(times[i] / usual, &run.workers[i]);
  }
  // Many of them: the tasks differ, not the workers.
  if (slow.empty() || static_cast<double>(slow.size()) > std::max(1.0, 0.2 * static_cast<double>(means.size()))) return;
  std::ranges::sort(slow, std::ranges::greater(), &std::pair<double, const run_data::worker*>::first);
  double lost = 0;
  for (const auto& [factor, w] : slow) lost += w->busy * (1 - 1 / factor);
  const auto& [factor, worst] = slow.front();
  std::string text = "Rank " + place_of(*worst) + " needed " + in_words(factor) +
                     " times as long for a task as the median worker (" + in_words(seconds(factor * usual)) + " instead of " +
                     in_words(seconds(usual)) + ")";
  if (slow.size() > 1) text += ", and " + std::to_string(slow.size() - 1) + " more workers were slow";
  text += ": its tasks were longer, or its node is slow. Look for other load, a lower clock or less memory bandwidth there.";
  all.push_back({std::max(lost / workers_time(run), worth_saying), std::move(text)});
}

void add_busy_rank_0(const run_data& run, found& all) {
  if (!run.rank_0 || run.seconds <= 0) return;
  const auto& own = *run.rank_0;
  const double share = own.total() / run.seconds;
  const double idle = 1 - run.busy_share();
  if (share < 0.5 || idle < 0.1) return;
  const std::array<std::pair<double, const char*>, 4> parts{{{own.receiving, "receiving results"},
                                                             {own.scheduling, "scheduling"},
                                                             {own.sending, "encoding and sending tasks"},
                                                             {own.callbacks, "callbacks of the program"}}};
  const auto& most = *std::ranges::max_element(parts);
  all.push_back({idle, "Rank 0 was busy for " + percent_in_words(share) + " of the run, most of it with " + most.second + " (" +
                           in_words(seconds(most.first)) + "). Larger tasks or smaller arguments and results relieve it."});
}

/// The program had submitted too little to keep the workers busy, between the first task and the last one.
void add_too_few_tasks(const run_data& run, found& all) {
  double begin = run.seconds;
  double end = run.seconds;
  for (const auto& w : run.workers) {
    if (w.tasks > 0) begin = std::min(begin, w.first), end = std::min(end, w.last);
  }
  double without = 0;  // time with fewer tasks at the workers than there are workers
  double missing = 0;
  for (std::size_t i = 1; i < run.samples.size(); ++i) {
    const auto& sample = run.samples[i - 1];
    const double time = std::min(run.samples[i].when, end) - std::max(sample.when, begin);
    if (time <= 0 || sample.at_workers >= run.workers.size()) continue;
    without += time;
    missing += time * static_cast<double>(run.workers.size() - sample.at_workers);
  }
  const double share = missing / workers_time(run);
  if (share < worth_saying) return;
  all.push_back({share, "For " + percent_in_words(without / run.seconds) +
                            " of the run, the workers had fewer tasks than there are workers. This left " +
                            percent_in_words(share) + " of the workers' time unused. Submit more tasks at once, or divide them."});
}

void add_losses(const run_data& run, found& all) {
  const std::uint64_t lost = run.lost_workers();
  if (lost == 0) return;
  double time = 0;
  std::uint64_t tasks = 0;
  for (const auto& w : run.workers) {
    if (!w.lost) continue;
    time += run.seconds - w.lost->when;
    tasks += w.lost->tasks;
  }
  all.push_back({time / workers_time(run) + 1, counted(lost, "worker") + (lost == 1 ? " was" : " were") + " lost, and with " +
                                                   (lost == 1 ? "it " : "them ") + counted(tasks, "unfinished task") + " and " +
                                                   percent_in_words(time / workers_time(run)) + " of the workers' time."});
}

void add_failures(const run_data& run, found& all) {
  const std::uint64_t failed = run.failed();
  if (failed == 0) return;
  std::string text = counted(failed, "task") + " of " + grouped(run.tasks()) + " failed.";
  if (!run.failures.empty()) text += " The first error: " + first_line(run.failures.front().error);
  all.push_back({2, std::move(text)});
}

/// Adds how the run ended, unless it ended as it should.
void add_ending(const run_data& run, std::vector<std::string>& texts) {
  if (!run.is_complete) {
    texts.emplace_back(
        "The trace has no end: the run was killed, or it is still running. The figures are those until the last "
        "event, without the times of single tasks.");
  }
  if (!run.ending.empty()) texts.push_back("The run " + first_line(run.ending) + ".");
  for (const auto& function : run.functions) {
    if (!function.items || function.tasks >= *function.items) continue;
    texts.push_back(grouped(function.tasks) + " of " + counted(*function.items, "task") + " of " + printable(function.name) +
                    " have finished. The run was stopped, has failed, or is still running; run it again with its journal.");
  }
}

}  // namespace

std::vector<std::string> findings(const run_data& run) {
  found all;
  add_failures(run, all);
  add_losses(run, all);
  if (!run.is_journal && run.seconds > 0 && !run.workers.empty() && run.tasks() > 0) {
    add_slow_start(run, all);
    add_end(run, all);
    add_time_after_tasks(run, all);
    add_short_tasks(run, all);
    add_busy_rank_0(run, all);
    add_too_few_tasks(run, all);
  }
  if (run.seconds > 0 && !run.workers.empty()) add_slow_workers(run, all);
  std::ranges::sort(all, std::ranges::greater(), &finding::cost);
  std::vector<std::string> texts;
  add_ending(run, texts);
  if (run.dropped_events > 0) {
    texts.push_back(counted(run.dropped_events, "event") +
                    " of the trace are missing, because its file could not be written fast enough. Write it to a local disk.");
  }
  for (auto& each : all) texts.push_back(std::move(each.text));
  return texts;
}

}  // namespace jobs

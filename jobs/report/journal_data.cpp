#include "report/journal_data.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <rankpool/rankpool.hpp>
#include <utility>

namespace jobs {
namespace {

using rankpool::journal_reader;

constexpr std::size_t most_slow_chunks = 20;
constexpr std::size_t most_failures = 1000;

double seconds_between(journal_reader::time_point from, journal_reader::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

class journal_rows {
 public:
  explicit journal_rows(const journal_reader& journal)
      : journal_(journal), chunks_(journal.slowest(std::numeric_limits<std::uint64_t>::max())) {
    run_.is_journal = true;
    run_.is_complete = true;
    run_.command = {journal.subject()};
  }

  run_data data() {
    add_calls();
    add_chunks();
    add_failures();
    for (const auto& loss : journal_.losses()) {
      worker_of(loss.rank, loss.host).lost = {.when = since_begin(loss.when), .cause = loss.cause, .tasks = loss.items};
    }
    std::ranges::sort(run_.slowest, std::ranges::greater(), &run_data::slow_chunk::seconds_per_task);
    return std::move(run_);
  }

 private:
  double since_begin(journal_reader::time_point when) {
    const double time = std::max(seconds_between(begin_, when), 0.0);
    run_.seconds = std::max(run_.seconds, time);
    return time;
  }

  run_data::worker& worker_of(int rank, const std::string& host) {
    const auto [found, is_new] = workers_.try_emplace({rank, host}, run_.workers.size());
    if (is_new) run_.workers.push_back({.rank = rank, .host = host});
    return run_.workers[found->second];
  }
  std::size_t number_of(const run_data::worker& w) const { return static_cast<std::size_t>(&w - run_.workers.data()); }

  void add_calls() {
    for (const auto& call : journal_.calls()) {
      calls_.emplace(call.id, run_.functions.size());
      run_.functions.push_back({.name = call.name,
                                .tasks = call.done + call.failed,
                                .failed = call.failed,
                                .chunks = call.chunks,
                                .busy = call.total.count(),
                                .items = call.items});
    }
  }

  void add_chunks() {
    begin_ = journal_reader::time_point::max();
    journal_.for_each_failure([&](const journal_reader::failure& failure) { begin_ = std::min(begin_, failure.when); });
    for (const auto& chunk : chunks_) {
      begin_ = std::min(begin_, chunk.finished - std::chrono::duration_cast<journal_reader::time_point::duration>(chunk.taken));
    }
    if (begin_ == journal_reader::time_point::max()) return;
    run_.started = std::chrono::duration<double>(begin_.time_since_epoch()).count();
    std::vector<std::map<int, std::uint64_t>> classes(run_.functions.size());
    for (const auto& chunk : chunks_) {
      const std::size_t function = calls_.at(chunk.call);
      run_data::worker& w = worker_of(chunk.rank, chunk.host);
      const double end = since_begin(chunk.finished);
      const double taken = chunk.taken.count();
      w.tasks += chunk.count;
      w.chunks += 1;
      w.busy += taken;
      w.last = std::max(w.last, end);
      run_.when_busy.add(number_of(w), end - taken, end, taken, static_cast<std::uint32_t>(function), chunk.count);
      const run_data::slow_chunk slow{.function = function,
                                      .worker = number_of(w),
                                      .first = chunk.first,
                                      .tasks = chunk.count,
                                      .begin = end - taken,
                                      .taken = taken};
      if (run_.slowest.size() < most_slow_chunks) run_.slowest.push_back(slow);
      const double per_task = std::max(slow.seconds_per_task(), 1e-9);
      classes[function][static_cast<int>(std::floor(2 * std::log2(per_task)))] += chunk.count;
    }
    for (std::size_t i = 0; i < classes.size(); ++i) {
      for (const auto& [number, tasks] : classes[i]) run_.functions[i].times.emplace_back(std::exp2(number / 2.0), tasks);
    }
  }

  void add_failures() {
    journal_.for_each_failure([&](const journal_reader::failure& failure) {
      run_data::worker& w = worker_of(failure.rank, failure.host);
      w.failed += failure.failed;
      w.tasks += failure.failed;
      if (run_.failures.size() == most_failures) return;
      run_.failures.push_back({.function = calls_.at(failure.call),
                               .worker = number_of(w),
                               .item = failure.item,
                               .when = since_begin(failure.when),
                               .error = failure.error,
                               .stack = {}});
    });
  }

  const journal_reader& journal_;
  const std::vector<journal_reader::chunk> chunks_;  // the slowest first
  journal_reader::time_point begin_;
  std::map<std::int64_t, std::size_t> calls_;
  std::map<std::pair<int, std::string>, std::size_t> workers_;
  run_data run_;
};

}  // namespace

run_data read_journal(const std::string& file) {
  const journal_reader journal(file);
  run_data run = journal_rows(journal).data();
  run.file = file;
  return run;
}

}  // namespace jobs

#include "trace/run_totals.hpp"

#include <algorithm>
#include <cmath>

namespace rankpool::detail {
namespace {

constexpr std::size_t most_slow_chunks = 20;

std::chrono::nanoseconds time_per_task(const run_totals::ended_chunk& chunk) {
  return chunk.taken / static_cast<std::int64_t>(std::max<std::uint64_t>(chunk.tasks, 1));
}

bool is_slower(const run_totals::ended_chunk& a, const run_totals::ended_chunk& b) { return time_per_task(a) > time_per_task(b); }

std::size_t class_of(std::chrono::nanoseconds time) {
  const double steps = 2 * std::log2(static_cast<double>(std::max<std::int64_t>(time.count(), 1)));
  return std::min(static_cast<std::size_t>(steps), run_totals::histogram().size() - 1);
}

}  // namespace

std::chrono::nanoseconds run_totals::lower_limit(std::size_t number) {
  return std::chrono::nanoseconds(std::llround(std::exp2(static_cast<double>(number) / 2)));
}

run_totals::function_totals& run_totals::of_function(std::size_t number) {
  if (functions_.size() <= number) functions_.resize(number + 1);
  return functions_[number];
}

void run_totals::add_failed(std::size_t function, std::size_t worker, std::uint64_t tasks) {
  for (totals* sum : {static_cast<totals*>(&of_function(function)), static_cast<totals*>(&workers_[worker])}) {
    sum->tasks += tasks;
    sum->failed += tasks;
  }
}

void run_totals::add(const ended_chunk& chunk) {
  function_totals& function = of_function(chunk.function);
  for (totals* sum : {static_cast<totals*>(&function), static_cast<totals*>(&workers_[chunk.worker])}) {
    sum->tasks += chunk.tasks;
    sum->failed += chunk.failed;
    sum->busy += chunk.taken;
    ++sum->chunks;
  }
  function.times[class_of(time_per_task(chunk))] += chunk.tasks;

  if (slowest_.size() == most_slow_chunks) {
    if (!is_slower(chunk, slowest_.front())) return;
    std::ranges::pop_heap(slowest_, is_slower);
    slowest_.pop_back();
  }
  slowest_.push_back(chunk);
  std::ranges::push_heap(slowest_, is_slower);
}

}  // namespace rankpool::detail

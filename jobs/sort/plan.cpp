#include "sort/plan.hpp"

#include <algorithm>
#include <optional>

#include "support/usage_error.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t small_bytes = std::uint64_t{1} << 20;  // smaller files are one bucket
constexpr std::uint64_t large_bytes = std::uint64_t{1} << 26;  // larger files: two buckets per worker
constexpr std::size_t most_buckets_in_one_pass = 12;           // with 10 buckets, 8 GB took as much CPU time in one pass as in two
constexpr std::uint64_t usual_part_bytes = std::uint64_t{1} << 26;
constexpr std::uint64_t most_slices = 10'000'000;  // rank 0 holds the sizes of the slices: 80 MB

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0); }

// The relative error of a bucket's size is 1/sqrt(samples per bucket): with 1000 samples, 1/8 is four standard deviations.
std::size_t sample_count(std::size_t buckets, std::uint64_t count) {
  constexpr std::size_t enough_for_one = 4096, least_for_one = 64, most = std::size_t{1} << 22;
  const std::size_t for_one = std::clamp(std::max<std::size_t>(most / buckets, 1), least_for_one, enough_for_one);
  return std::min<std::uint64_t>(count, buckets * for_one);
}

/// Plans one pass, or two passes with as many parts as rank 0 may hold slices of. Empty if a part needs more than `memory`.
std::optional<sort_plan> plan_within(std::uint64_t count, std::size_t size, std::size_t workers, std::uint64_t memory) {
  const std::uint64_t room = memory / size;
  const std::uint64_t bucket = std::max<std::uint64_t>(room - room / 8, 1);  // per bucket; margin for uneven sizes
  sort_plan plan;
  plan.buckets = std::max<std::uint64_t>(divide_up(count, bucket), 1);
  if (plan.buckets > 1 || count * size > small_bytes) plan.buckets = divide_up(plan.buckets, workers) * workers;
  if (plan.buckets == workers && count * size > large_bytes && 2 * workers <= most_buckets_in_one_pass) plan.buckets *= 2;
  plan.one_pass = plan.buckets <= most_buckets_in_one_pass;
  plan.samples = plan.buckets > 1 ? sample_count(plan.buckets, count) : 0;
  if (plan.one_pass) return plan;

  const std::uint64_t share = divide_up(count, 2 * workers);
  const std::uint64_t wanted = std::min({share, std::max(usual_part_bytes / size, count / 1024), room});
  const std::uint64_t most_parts = most_slices / plan.buckets;
  if (most_parts == 0 || divide_up(count, most_parts) > room) return std::nullopt;
  plan.part = std::max({wanted, divide_up(count, most_parts), std::uint64_t{1}});
  return plan;
}

}  // namespace

sort_plan plan_sort(std::uint64_t count, std::size_t size, int workers, std::uint64_t memory) {
  const auto at_once = static_cast<std::size_t>(std::max(workers, 1));
  if (const auto plan = plan_within(count, size, at_once, memory)) return *plan;
  std::uint64_t millions = memory / 1'000'000 + 1;
  while (!plan_within(count, size, at_once, millions * 1'000'000)) millions += millions / 100 + 1;
  throw usage_error("--memory must be at least " + std::to_string(millions) + "e6 for a file of this size");
}

std::string describe(const sort_plan& plan, std::uint64_t count) {
  const std::string buckets = std::to_string(plan.buckets) + (plan.buckets == 1 ? " bucket" : " buckets");
  if (plan.one_pass) return "one pass: " + buckets + "; the task of a bucket reads the whole file and keeps its numbers";
  return "two passes: " + std::to_string(plan.parts(count)) + " parts are distributed to " + buckets +
         ", then each bucket is sorted";
}

}  // namespace jobs

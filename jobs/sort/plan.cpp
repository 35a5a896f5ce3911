#include "sort/plan.hpp"

#include <algorithm>
#include <cmath>

#include "support/command.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t small_bytes = std::uint64_t{1} << 20;  // not worth dividing
constexpr std::uint64_t large_bytes = std::uint64_t{1} << 26;  // worth two turns: one goes to disk while the next is sorted
constexpr std::size_t most_buckets_in_one_pass = 12;           // 8 GB took as much CPU time in one pass with 10 as in two
constexpr std::uint64_t usual_part_bytes = std::uint64_t{1} << 26;
constexpr std::uint64_t most_slices = 10'000'000;  // whose sizes rank 0 holds: 80 MB

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0); }

// The size of a bucket varies by one part in the square root of its samples: an eighth is four times that of a thousand.
std::size_t sample_count(std::size_t buckets, std::uint64_t count) {
  constexpr std::size_t enough_for_one = 4096, least_for_one = 64, most = std::size_t{1} << 22;
  const std::size_t for_one = std::clamp(std::max<std::size_t>(most / buckets, 1), least_for_one, enough_for_one);
  return std::min<std::uint64_t>(count, buckets * for_one);
}

}  // namespace

sort_plan plan_sort(std::uint64_t count, std::size_t size, int workers, std::uint64_t memory) {
  const auto at_once = static_cast<std::size_t>(std::max(workers, 1));
  const std::uint64_t room = memory / size;
  const std::uint64_t bucket = std::max<std::uint64_t>(room - room / 8, 1);  // most numbers; buckets differ in size
  sort_plan plan;
  plan.buckets = std::max<std::uint64_t>(divide_up(count, bucket), 1);
  if (plan.buckets > 1 || count * size > small_bytes) plan.buckets = divide_up(plan.buckets, at_once) * at_once;
  if (plan.buckets == at_once && count * size > large_bytes && 2 * at_once <= most_buckets_in_one_pass) plan.buckets *= 2;
  plan.one_pass = plan.buckets <= most_buckets_in_one_pass;
  plan.samples = plan.buckets > 1 ? sample_count(plan.buckets, count) : 0;
  if (plan.one_pass) return plan;

  const std::uint64_t share = divide_up(count, 2 * at_once);
  plan.part = std::max<std::uint64_t>(std::min({share, std::max(usual_part_bytes / size, count / 1024), room}), 1);
  if (plan.parts(count) * plan.buckets > most_slices) {
    // parts * buckets is about (8/7) (bytes / memory)^2
    const double least = std::sqrt(8.0 / 7 / most_slices) * static_cast<double>(count) * static_cast<double>(size);
    throw usage_error("--memory takes at least " + std::to_string(static_cast<std::uint64_t>(std::ceil(least / 1e6))) +
                      "e6 for so large a file");
  }
  return plan;
}

std::string describe(const sort_plan& plan, std::uint64_t count) {
  const std::string buckets = std::to_string(plan.buckets) + (plan.buckets == 1 ? " bucket" : " buckets");
  if (plan.one_pass) return "one pass: " + buckets + ", each task reads the whole file and keeps its own";
  return "two passes: " + std::to_string(plan.parts(count)) + " parts carried to " + buckets + " in the output, each sorted there";
}

}  // namespace jobs

#include "sort/two_passes.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <ranges>
#include <span>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "sort/bucket_tree.hpp"
#include "sort/key_buffer.hpp"
#include "sort/sort_keys.hpp"

namespace jobs {
namespace {

using shared_work = rankpool::shared<sort_work>;
using counts = std::vector<std::uint64_t>;  // indexed by bucket

/// Calls `visit(keys, their buckets)` for each section of the keys of a part.
template <class Number, class Visit>
void for_each_classified(const sort_work& work, std::uint64_t first, std::uint64_t last, Visit visit) {
  using key = key_of<Number>;
  const std::span<const splitter> splitters = work.splitters;
  std::vector<std::uint32_t> buckets(block_bytes / sizeof(key));
  std::vector<splitter> inside;  // splitters whose index lies in this part: few
  std::ranges::copy_if(splitters, std::back_inserter(inside), [&](const splitter& s) { return first < s.index && s.index < last; });
  bucket_tree<key> tree(splitters, first);
  std::uint64_t tree_from = first;
  for_each_block<Number>(file(work.input.path), work.input, first, last, [&](std::span<const key> block, std::uint64_t at) {
    for_each_side(block, at, inside, [&](std::span<const key> piece, std::uint64_t piece_at) {
      if (std::ranges::any_of(inside, [&](const splitter& s) { return tree_from < s.index && s.index <= piece_at; })) {
        tree = bucket_tree<key>(splitters, piece_at);
        tree_from = piece_at;
      }
      tree.find(piece, buckets.data());
      visit(piece, std::span<const std::uint32_t>(buckets).first(piece.size()));
    });
  });
}

counts count_part(const shared_work& shared, std::uint64_t first, std::uint64_t last) {
  counts found(shared->buckets());
  with_element(shared->input.type, [&]<class Number>(Number) {
    for_each_classified<Number>(*shared, first, last, [&](auto, std::span<const std::uint32_t> buckets) {
      for (const std::uint32_t b : buckets) ++found[b];
    });
  });
  return found;
}

[[noreturn]] void fail_for_change(const sort_work& work) {
  throw std::runtime_error(work.input.path + " was modified while it was sorted");
}

/// Copies the keys of a part into their buckets' regions: the found[b] keys of bucket b are written from `begins[b]` on. `found`
/// comes from the counting task.
void carry_part(const shared_work& shared, std::uint64_t first, std::uint64_t last, const counts& begins, const counts& found) {
  const sort_work& work = *shared;
  with_element(work.input.type, [&]<class Number>(Number) {
    using key = key_of<Number>;
    key_buffer<key> slices(last - first);
    std::vector<key*> ends(found.size());
    std::vector<const key*> limits(found.size());
    key* next = slices.data();
    for (std::size_t b = 0; b < found.size(); ++b) {
      ends[b] = next;
      limits[b] = next += found[b];
    }
    for_each_classified<Number>(work, first, last, [&](std::span<const key> keys, std::span<const std::uint32_t> buckets) {
      for (std::size_t i = 0; i < keys.size(); ++i) {
        key*& end = ends[buckets[i]];
        if (end == limits[buckets[i]]) fail_for_change(work);
        *end++ = keys[i];
      }
    });
    rankpool::result_part to(work.carried.writer);
    for (std::size_t b = 0; b < found.size(); ++b) {
      to.write(std::as_bytes(std::span(limits[b] - found[b], found[b])), work.carried.place(begins[b]));
    }
    to.finish();
  });
}

/// Sorts the keys in [begin, begin + count) of the carried file, and writes them as numbers to the same range of the output.
void sort_bucket(const shared_work& shared, std::uint64_t begin, std::uint64_t count) {
  const number_target& output = shared->output;
  const number_target& carried = shared->carried;
  with_element(output.type, [&]<class Number>(Number) {
    using key = key_of<Number>;
    key_buffer<key> memory(count);
    const std::span<key> keys = memory.first(count);
    file(carried.path).read_items(keys, carried.place(begin));
    sort_keys(keys);
    write_numbers<Number>(output, keys, begin);
  });
}

template <class F, class Tasks>
void run_all(rankpool::executor& pool, F f, Tasks&& tasks) {
  for ([[maybe_unused]] const auto& done :
       pool.starmap({.chunksize = 1, .buffersize = 3 * pool.num_workers(), .ordered = false}, f, tasks)) {
  }
}

}  // namespace

void sort_in_two_passes(rankpool::executor& pool, const sort_work& work, std::uint64_t part) {
  const auto shared = pool.share(work);
  const std::uint64_t count = work.input.count;
  const auto bounds = [=](std::uint64_t p) { return std::tuple(p * part, std::min((p + 1) * part, count)); };
  const auto parts = std::views::iota(std::uint64_t{0}, (count + part - 1) / part);

  std::vector<counts> found;  // indexed by part
  for (counts& of_part : pool.starmap({.chunksize = 1, .buffersize = 3 * pool.num_workers()}, rankpool::partial(count_part, shared),
                                      parts | std::views::transform(bounds))) {
    found.push_back(std::move(of_part));
  }

  counts sizes(work.buckets());
  for (const counts& of_part : found) std::ranges::transform(sizes, of_part, sizes.begin(), std::plus());
  counts begins(work.buckets());
  std::exclusive_scan(sizes.begin(), sizes.end(), begins.begin(), std::uint64_t{0});

  counts next = begins;
  const auto carried = [&](std::uint64_t p) {
    counts to = next;
    std::ranges::transform(next, found[p], next.begin(), std::plus());
    return std::tuple_cat(bounds(p), std::tuple(std::move(to), found[p]));
  };
  run_all(pool, rankpool::partial(carry_part, shared), parts | std::views::transform(carried));
  const auto bucket = [&](std::size_t b) { return std::tuple(begins[b], sizes[b]); };
  run_all(pool, rankpool::partial(sort_bucket, shared),
          std::views::iota(std::size_t{0}, work.buckets()) | std::views::transform(bucket));
}

}  // namespace jobs

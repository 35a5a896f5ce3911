#include "sort/one_pass.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <ranges>
#include <span>
#include <stdexcept>

#include "sort/key_buffer.hpp"
#include "sort/sort_keys.hpp"

namespace jobs {
namespace {

struct sorted_part {
  std::uint64_t begin = 0;
  std::uint64_t count = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& begin& count;
  }
};

/// Collects the keys of one bucket while a task reads the file.
template <class Key>
class bucket_filter {
 public:
  bucket_filter(const sort_work& work, std::size_t bucket)
      : ends_{bucket == 0 ? splitter{} : work.splitters[bucket - 1],
              bucket + 1 == work.buckets() ? beyond_all : work.splitters[bucket]},
        kept_(work.input.count / work.buckets() * 9 / 8 + block_bytes) {}

  void take(std::span<const Key> keys, std::uint64_t first) {
    kept_.make_room(count_ + keys.size(), count_);
    for_each_side(keys, first, ends_, [&](std::span<const Key> piece, std::uint64_t at) { take_side(piece, at); });
  }

  std::uint64_t before() const { return before_; }
  std::span<Key> kept() { return kept_.first(count_); }

 private:
  static constexpr splitter beyond_all{std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()};

  void take_side(std::span<const Key> keys, std::uint64_t at) {
    const auto least = threshold<Key>(ends_[0], at < ends_[0].index);
    const auto beyond = threshold<Key>(ends_[1], at < ends_[1].index);
    if (!least) {
      before_ += keys.size();
    } else if (beyond && *beyond <= *least) {
      for (const Key k : keys) before_ += k < *least;
    } else {
      const Key width = (beyond ? static_cast<Key>(*beyond - 1) : std::numeric_limits<Key>::max()) - *least;
      take_between(keys, *least, width);
    }
  }

  // Branchless: writes every key, and overwrites it with the next one if it does not belong to the bucket.
  void take_between(std::span<const Key> keys, Key least, Key width) {
    Key* end = kept_.data() + count_;
    std::uint64_t before = 0;
    for (const Key k : keys) {
      *end = k;
      end += static_cast<Key>(k - least) <= width;
      before += k < least;
    }
    before_ += before;
    count_ = static_cast<std::size_t>(end - kept_.data());
  }

  std::array<splitter, 2> ends_;
  key_buffer<Key> kept_;
  std::size_t count_ = 0;
  std::uint64_t before_ = 0;
};

sorted_part filter_and_sort(const rankpool::shared<sort_work>& shared, std::size_t bucket) {
  const sort_work& work = *shared;
  return with_element(work.input.type, [&]<class Number>(Number) {
    using key = key_of<Number>;
    bucket_filter<key> filter(work, bucket);
    for_each_block<Number>(file(work.input.path), work.input, 0, work.input.count,
                           [&](std::span<const key> keys, std::uint64_t first) { filter.take(keys, first); });
    const std::span<key> kept = filter.kept();
    sort_keys(kept);
    write_numbers<Number>(work.output, kept, filter.before());
    return sorted_part{filter.before(), kept.size()};
  });
}

}  // namespace

void sort_in_one_pass(rankpool::executor& pool, const sort_work& work) {
  const auto shared = pool.share(work);
  std::uint64_t end = 0;
  for (const sorted_part& p :
       pool.map({.chunksize = 1}, rankpool::partial(filter_and_sort, shared), std::views::iota(std::size_t{0}, work.buckets()))) {
    if (p.begin != end) throw std::runtime_error(work.input.path + " was modified while it was sorted");
    end += p.count;
  }
  if (end != work.input.count) throw std::runtime_error(work.input.path + " was modified while it was sorted");
}

}  // namespace jobs

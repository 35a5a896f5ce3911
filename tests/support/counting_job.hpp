// A job of empty items for tests of a scheduler without a pool. It counts the finished items.
#pragma once

#include <rankpool/detail/scheduler/job.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <map>
#include <stdexcept>

namespace support {

inline void run_nothing(rankpool::detail::byte_reader&, rankpool::detail::byte_writer&) {}

class counting_job final : public rankpool::detail::job {
 public:
  explicit counting_job(std::uint64_t items, std::uint64_t chunk = 1, std::uintptr_t kind = 0)
      : job(locate_function(&run_nothing), kind), items_(items), chunk_(chunk) {}

  std::uint64_t available() override { return items_ - cut_; }
  bool may_grow() override { return growing; }
  rankpool::detail::chunk cut(std::uint64_t n) override {
    rankpool::detail::chunk p{cut_, std::min(n, available()), {}, {}, {}};
    cut_ += p.count;
    return p;
  }
  rankpool::detail::chunk cut_from(const rankpool::detail::chunk&, std::uint64_t first, std::uint64_t count) override {
    return {first, count, {}, {}, {}};
  }
  std::uint64_t chunksize() const override { return chunk_; }
  void on_requeued(std::uint64_t first, std::uint64_t count) override {
    requeued_[first] = count;
    if (is_abandoned_) cancel_requeued();
  }
  bool is_requeued(std::uint64_t first) const override { return requeued_.contains(first); }
  bool resume(std::uint64_t first) override { return requeued_.erase(first) > 0; }
  bool on_outcome(std::uint64_t, std::uint64_t count, rankpool::detail::outcome&&) override {
    done += count;
    if (done > cut_) throw std::logic_error("more of a job is over than was given out");
    return false;
  }
  bool abandon(const std::exception_ptr&) override {
    cut_ = items_;
    growing = false;
    is_abandoned_ = true;
    cancel_requeued();
    return false;
  }
  void seal() override { growing = false; }
  void grow(std::uint64_t n) { items_ += n; }

  std::uint64_t done = 0;
  bool growing = false;

 private:
  void cancel_requeued() {
    for (const auto& [first, count] : requeued_) done += count;
    requeued_.clear();
  }

  std::map<std::uint64_t, std::uint64_t> requeued_;  // number of items, by the first
  bool is_abandoned_ = false;
  std::uint64_t items_;
  std::uint64_t chunk_;
  std::uint64_t cut_ = 0;
};

}  // namespace support

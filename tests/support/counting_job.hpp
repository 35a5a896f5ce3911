// A job of so many items that are nothing to do, for a scheduler without a pool: it remembers what became of them.
#pragma once

#include <rankpool/detail/job.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <stdexcept>

namespace support {

inline void run_nothing(rankpool::detail::byte_reader&, rankpool::detail::byte_writer&) {}

class counting_job final : public rankpool::detail::job {
 public:
  explicit counting_job(std::uint64_t items, std::uint64_t chunk = 1, std::uintptr_t kind = 0)
      : job(&run_nothing, kind), items_(items), chunk_(chunk) {}

  std::uint64_t available() override { return items_ - cut_; }
  bool may_grow() override { return growing; }
  rankpool::detail::piece cut(std::uint64_t n) override {
    rankpool::detail::piece p{cut_, std::min(n, available()), {}, {}, {}};
    cut_ += p.count;
    return p;
  }
  std::uint64_t chunksize() const override { return chunk_; }
  bool on_outcome(std::uint64_t, std::uint64_t count, rankpool::detail::outcome) override {
    done += count;
    if (done > cut_) throw std::logic_error("more of a job is over than was given out");
    return false;
  }
  bool abandon(const std::exception_ptr&) override {
    cut_ = items_;
    growing = false;
    return false;
  }
  void seal() override { growing = false; }
  void grow(std::uint64_t n) { items_ += n; }

  std::uint64_t done = 0;
  bool growing = false;

 private:
  std::uint64_t items_;
  std::uint64_t chunk_;
  std::uint64_t cut_ = 0;
};

}  // namespace support

#include "client/chunk_retries.hpp"

#include <rankpool/detail/map/chunk_reader.hpp>

#include <iterator>
#include <utility>

namespace rankpool::detail {

// Returns the open chunk that contains the item.
chunk_retries::open_chunks::iterator chunk_retries::find(std::uint64_t item) {
  const auto next = open_.upper_bound(item);
  if (next == open_.begin()) return open_.end();
  const auto found = std::prev(next);
  return item < found->first + found->second.chunk.count ? found : open_.end();
}

bool chunk_retries::has_failed(const finished_chunk& ended) const {
  switch (ended.result.what) {
    case outcome::kind::threw: return true;
    case outcome::kind::value: return by_items_ && count_failures(ended.result) > 0;
    case outcome::kind::not_run: return false;
  }
  return false;
}

std::optional<finished_chunk> chunk_retries::take(finished_chunk ended) {
  if (!has_failed(ended)) return conclude(std::move(ended), {});
  undecided_.push_back(std::move(ended));
  return std::nullopt;
}

std::vector<chunk_retries::failed_chunk> chunk_retries::take_undecided() {
  std::vector<failed_chunk> taken;
  for (finished_chunk& chunk : std::exchange(undecided_, {})) {
    const auto found = find(chunk.first);
    const bool is_part = found != open_.end() && (!found->second.is_whole || chunk.result.what == outcome::kind::threw);
    failed_chunk& failed = taken.emplace_back(failed_chunk{std::move(chunk), {}});
    // If a chunk failed as a whole before and only some items fail now, these have not failed before.
    const auto before = attempts_.extract(failed.chunk.first);
    if (is_part && !before.empty()) failed.so_far.emplace(failed.chunk.first, before.mapped());
  }
  deciding_ += taken.size();
  return taken;
}

std::vector<chunk_retries::part> chunk_retries::decide(failed_chunk& failed) const {
  std::vector<part> again;
  const auto decide_one = [&](std::uint64_t first, std::uint64_t count, const std::exception_ptr& why) {
    if (const auto delay = policy_->next_attempt(failed.so_far[first], why)) again.push_back({first, count, *delay});
  };
  const finished_chunk& chunk = failed.chunk;
  if (chunk.result.what == outcome::kind::threw) {
    decide_one(chunk.first, chunk.count, chunk_error(chunk.first, chunk.result));
  } else {
    for (const auto& [item, why] : failures_of(chunk.first, chunk.result)) decide_one(item, 1, why);
  }
  return again;
}

std::optional<finished_chunk> chunk_retries::settle(failed_chunk failed, const std::vector<part>& again) {
  --deciding_;
  for (const part& p : again) attempts_[p.first] = failed.so_far[p.first];
  return conclude(std::move(failed.chunk), again);
}

std::optional<finished_chunk> chunk_retries::conclude(finished_chunk ended, const std::vector<part>& again) {
  for (const part& p : again) waiting_.emplace(p.first, p.count);
  if (again.empty()) attempts_.erase(ended.first);
  const std::uint64_t first = ended.first;
  const auto found = find(first);
  if (found == open_.end() || found->second.is_whole) {  // a chunk, not an item of one
    if (again.empty()) {
      if (found != open_.end()) open_.erase(found);
      return ended;
    }
    const bool is_whole = ended.result.what == outcome::kind::threw;
    open_[first] = {std::move(ended), again.size(), is_whole};
    return std::nullopt;
  }
  if (!again.empty()) return std::nullopt;
  open_chunk& open = found->second;
  open.chunk.retried.emplace(first - open.chunk.first, std::move(ended.result));
  if (--open.parts > 0) return std::nullopt;
  return close(found);
}

finished_chunk chunk_retries::close(open_chunks::iterator which) {
  finished_chunk final_chunk = std::move(which->second.chunk);
  open_.erase(which);
  return final_chunk;
}

void chunk_retries::release(std::uint64_t first) {
  const auto found = waiting_.find(first);
  if (found == waiting_.end()) return;  // abandoned
  ready_.push_back({first, found->second, {}});
  available_ += found->second;
  waiting_.erase(found);
}

chunk_retries::part chunk_retries::cut() {
  const part next = ready_.front();
  ready_.pop_front();
  available_ -= next.count;
  return next;
}

std::vector<finished_chunk> chunk_retries::abandon(const std::exception_ptr& why) {
  std::vector<finished_chunk> final_chunks;
  for (; !ready_.empty(); ready_.pop_front()) waiting_.emplace(ready_.front().first, ready_.front().count);
  available_ = 0;
  for (const auto& [first, count] : std::exchange(waiting_, {})) {
    attempts_.erase(first);
    const auto found = find(first);
    open_chunk& open = found->second;
    if (why != nullptr) {
      outcome never;
      never.error = why;
      if (open.is_whole) {
        open.chunk.result = std::move(never);
      } else {
        open.chunk.retried.emplace(first - open.chunk.first, std::move(never));
      }
    }
    if (--open.parts == 0) final_chunks.push_back(close(found));
  }
  return final_chunks;
}

}  // namespace rankpool::detail

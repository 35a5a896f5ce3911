#include "client/chunk_retries.hpp"

#include <rankpool/detail/map/chunk_reader.hpp>

#include <iterator>

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
    case outcome::kind::value: return by_items_ && count_failures(ended) > 0;
    case outcome::kind::not_run: return false;
  }
  return false;
}

std::optional<finished_chunk> chunk_retries::take(finished_chunk part_or_chunk) {
  if (!has_failed(part_or_chunk)) return settle(std::move(part_or_chunk), {});
  undecided_.push_back(std::move(part_or_chunk));
  return std::nullopt;
}

std::vector<chunk_retries::part> chunk_retries::decide(const finished_chunk& failed) {
  std::vector<part> again;
  const auto decide_one = [&](std::uint64_t first, std::uint64_t count, const std::exception_ptr& why) {
    if (const auto delay = policy_->next_attempt(attempts_[first], why)) {
      again.push_back({first, count, *delay});
    } else {
      attempts_.erase(first);
    }
  };
  if (failed.result.what == outcome::kind::threw) {
    decide_one(failed.first, failed.count, chunk_error(failed));
  } else {
    for (const auto& [item, why] : failures_of(failed)) decide_one(failed.first + item, 1, why);
  }
  return again;
}

std::optional<finished_chunk> chunk_retries::settle(finished_chunk part_or_chunk, const std::vector<part>& again) {
  for (const part& p : again) waiting_.emplace(p.first, p.count);
  const std::uint64_t first = part_or_chunk.first;
  const auto found = find(first);
  if (found == open_.end() || found->second.is_whole) {  // a chunk, not an item of one
    if (again.empty()) {
      if (found != open_.end()) open_.erase(found);
      return part_or_chunk;
    }
    const bool is_whole = part_or_chunk.result.what == outcome::kind::threw;
    open_[first] = {std::move(part_or_chunk), again.size(), is_whole};
    return std::nullopt;
  }
  if (!again.empty()) return std::nullopt;
  open_chunk& open = found->second;
  open.chunk.retried.emplace(first - open.chunk.first, std::move(part_or_chunk.result));
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

std::vector<finished_chunk> chunk_retries::abandon() {
  std::vector<finished_chunk> final_chunks;
  for (; !ready_.empty(); ready_.pop_front()) waiting_.emplace(ready_.front().first, ready_.front().count);
  available_ = 0;
  for (const auto& [first, count] : std::exchange(waiting_, {})) {
    const auto found = find(first);
    if (--found->second.parts == 0) final_chunks.push_back(close(found));
  }
  return final_chunks;
}

}  // namespace rankpool::detail

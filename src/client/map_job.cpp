#include "client/map_job.hpp"

#include <rankpool/detail/call/item_range.hpp>
#include <rankpool/detail/map/chunk_reader.hpp>

#include <algorithm>
#include <utility>

namespace rankpool::detail {

map_job::map_job(std::shared_ptr<executor_core> owner, code_address run, std::uintptr_t kind, bool by_items,
                 std::uint64_t items_per_chunk, encoded_head head, std::unique_ptr<item_source> source,
                 std::unique_ptr<chunk_retries> retries)
    : job(run, kind),
      owner_(std::move(owner)),
      by_items_(by_items),
      chunksize_(items_per_chunk),
      head_(std::move(head.bytes)),
      source_(std::move(source)),
      retries_(std::move(retries)) {
  schedule.retries_here = retries_ != nullptr;
  if (retries_ != nullptr) source_->keep();
  for (auto& reference : head.references) references_.insert(std::move(reference.value));
}

// ---- input

void map_job::add(item_batch items, bool is_full) {
  {
    std::lock_guard lock(mutex_);
    const std::uint64_t first = added_;
    const std::uint64_t count = items.count;
    if (sealed_) {  // the executor was shut down while the items were read
      if (count == 0) return;
      finished_chunk refused{first, count, {}};
      const bool is_cancelled = is_abandoned_ && abandoned_ == nullptr;
      refused.result.error = is_cancelled ? std::make_exception_ptr(cancelled_error()) : reason();
      owner_->note_left_out(refused.result.error);
      skip(std::move(refused));
    } else {
      const shared_data* last = nullptr;  // usually, many items refer to the same value
      for (const auto& [offset, value] : items.references) {
        if (value.get() != std::exchange(last, value.get())) references_.insert(value);
      }
      source_->append(std::move(items));
      added_ += count;
      ready_ = is_full || chunksize_ == 0 ? added_ : added_ - (added_ - ready_) % chunksize_;
    }
  }
  owner_->changed(this);
}

void map_job::add_finished(finished_chunk chunk) {
  bool has_more_ready = false;
  {
    std::lock_guard lock(mutex_);
    has_more_ready = ready_ < added_;
    skip(std::move(chunk));
  }
  if (has_more_ready) owner_->changed(this);
}

// Adds a chunk at the end of the input that does not run, because it has its outcome.
void map_job::skip(finished_chunk chunk) {
  const std::uint64_t first = added_;
  added_ += chunk.count;
  ready_ = added_;
  if (cut_ == first) {
    cut_ = added_;
  } else {
    skipped_.emplace_back(first, chunk.count);
  }
  finished_.emplace(first, std::move(chunk));
}

void map_job::seal() {
  std::lock_guard lock(mutex_);
  ready_ = added_;
  sealed_ = true;
}

void map_job::end_input() { stop_input(); }

void map_job::stop_input() {
  seal();
  owner_->changed(this);
}

std::exception_ptr map_job::refusal() const {
  std::lock_guard lock(mutex_);
  const std::exception_ptr why = reason();
  owner_->note_left_out(why);
  return why;
}

std::exception_ptr map_job::reason() const {
  if (abandoned_ != nullptr) return abandoned_;
  return std::make_exception_ptr(pool_closed("the executor was shut down before all input was read"));
}

std::uint64_t map_job::added() const {
  std::lock_guard lock(mutex_);
  return added_;
}

// ---- chunks

std::uint64_t map_job::available() {
  std::lock_guard lock(mutex_);
  return left_to_cut() + (retries_ == nullptr ? 0 : retries_->available());
}

bool map_job::awaits_retry() {
  if (retries_ == nullptr) return false;
  std::lock_guard lock(mutex_);
  return retries_->any_open();
}

// Returns the number of items up to the next one that does not run.
std::uint64_t map_job::left_to_cut() const {
  const std::uint64_t end = skipped_.empty() ? ready_ : std::min(ready_, skipped_.front().first);
  return end - cut_;
}

chunk map_job::cut(std::uint64_t items) {
  std::lock_guard lock(mutex_);
  chunk p{.first = cut_, .count = std::min(items, left_to_cut()), .payload = {}, .out_of_band = {}, .kept = {}};
  const bool is_retry = retries_ != nullptr && retries_->available() > 0;
  if (is_retry) {
    const auto part = retries_->cut();
    p.first = part.first;
    p.count = part.count;
  }
  if (p.count == 0) return p;
  byte_buffer payload;
  byte_writer out(payload);
  out.raw(head_.data(), head_.size());
  item_range{.count = p.count}.write(out);
  if (is_retry) {
    source_->cut_again(out, p.first, p.count);
  } else {
    source_->cut(out, p.first, p.count);
    cut_ += p.count;
    while (!skipped_.empty() && skipped_.front().first == cut_) {
      cut_ += skipped_.front().second;
      skipped_.pop_front();
    }
  }
  p.kept = std::make_shared<held<byte_buffer>>(std::move(payload));
  p.payload = p.kept->bytes();
  return p;
}

chunk map_job::cut_from(const chunk& whole, std::uint64_t first, std::uint64_t count) {
  byte_reader in(whole.payload.data(), whole.payload.size());
  (void)in.take(head_.size());
  const item_range range = item_range::read(in).subrange(first - whole.first, count);
  byte_buffer payload;
  byte_writer out(payload);
  out.raw(head_.data(), head_.size());
  range.write(out);
  const std::size_t items = in.remaining();
  out.raw(in.take(items), items);
  {
    std::lock_guard lock(mutex_);
    if (source_ != nullptr) source_->divide(first, count);
  }
  chunk p{.first = first, .count = count, .payload = {}, .out_of_band = {}, .kept = {}};
  p.kept = std::make_shared<held<byte_buffer>>(std::move(payload));
  p.payload = p.kept->bytes();
  return p;
}

failed_items map_job::failures_in(std::uint64_t first, std::uint64_t count, const outcome& result, std::size_t most) const {
  if (result.what == outcome::kind::threw) {
    failed_items all{.count = count, .examples = {}};
    if (most > 0) all.examples.push_back({first, chunk_error(first, result)});
    return all;
  }
  if (result.what == outcome::kind::not_run || !by_items_) return {};
  return {.count = count_failures(result), .examples = failures_of(first, result, most)};
}

void map_job::on_requeued(std::uint64_t first, std::uint64_t count) {
  bool is_over = false;
  {
    std::lock_guard lock(mutex_);
    is_over = is_abandoned_;
    is_over ? fail_chunk(first, count) : void(requeued_.emplace(first, count));
  }
  if (is_over) notify_taker();
}

bool map_job::is_requeued(std::uint64_t first) const {
  std::lock_guard lock(mutex_);
  return requeued_.contains(first);
}

bool map_job::resume(std::uint64_t first) {
  std::lock_guard lock(mutex_);
  return requeued_.erase(first) > 0;
}

bool map_job::on_outcome(std::uint64_t first, std::uint64_t count, outcome&& result) {
  bool is_undecided = false;
  {
    std::lock_guard lock(mutex_);
    finish({first, count, std::move(result)});
    is_undecided = retries_ != nullptr && retries_->has_undecided();
  }
  notify_taker();
  return is_undecided;
}

// Takes the outcome of a chunk that was cut, or of a part that runs again.
void map_job::finish(finished_chunk chunk) {
  keep_if_final(retries_ == nullptr ? std::optional(std::move(chunk)) : retries_->take(std::move(chunk)));
}

void map_job::keep_if_final(std::optional<finished_chunk> chunk) {
  if (!chunk) return;
  if (source_ != nullptr) source_->forget(chunk->first);
  finished_.emplace(chunk->first, std::move(*chunk));
}

// Decides what runs again of the chunks that have failed. Nothing does if the map was abandoned or its caller has gone: then the
// program's predicate must not be called, because what it refers to may be gone as well.
void map_job::react() {
  std::vector<chunk_retries::failed_chunk> failed;
  bool is_over = false;
  {
    std::lock_guard lock(mutex_);
    failed = retries_->take_undecided();
    is_over = is_abandoned_;
  }
  bool is_refused = false;
  for (chunk_retries::failed_chunk& chunk : failed) {
    std::vector<chunk_retries::part> again;
    try {
      if (!is_over) again = retries_->decide(chunk);  // without the lock, because it calls the program
    } catch (const std::exception&) {
      again.clear();  // out of memory: the failures are final
    }
    {
      std::lock_guard lock(mutex_);
      if (is_abandoned_) again.clear();
      keep_if_final(retries_->settle(std::move(chunk), again));
    }
    for (const auto& part : again) is_refused = !owner_->retry_later(this, part.first, part.delay) || is_refused;
  }
  if (is_refused) (void)abandon(std::make_exception_ptr(pool_closed("the pool has ended")));
  notify_taker();
  owner_->changed(this);  // it may be over
}

void map_job::retry(std::uint64_t first) {
  std::lock_guard lock(mutex_);
  retries_->release(first);
}

bool map_job::abandon(const std::exception_ptr& why) {
  {
    std::lock_guard lock(mutex_);
    fail_rest(why);
  }
  notify_taker();
  return false;
}

// Fails all items that no worker holds.
void map_job::fail_rest(const std::exception_ptr& why) {
  abandoned_ = why;
  is_abandoned_ = true;
  skipped_.emplace_back(added_, 0);
  for (const auto& [first, count] : skipped_) {
    if (first > cut_) fail_chunk(cut_, first - cut_);
    cut_ = first + count;
  }
  skipped_.clear();
  for (const auto& [first, count] : requeued_) fail_chunk(first, count);
  requeued_.clear();
  if (retries_ != nullptr) {
    for (finished_chunk& chunk : retries_->abandon(why)) finished_.emplace(chunk.first, std::move(chunk));
  }
  ready_ = added_;
  sealed_ = true;
  source_.reset();
}

void map_job::fail_chunk(std::uint64_t first, std::uint64_t count) {
  finished_chunk failed{first, count, {}};
  failed.result.error = abandoned_ ? abandoned_ : std::make_exception_ptr(cancelled_error());
  finish(std::move(failed));
}

// ---- results

void map_job::cancel(const std::exception_ptr& why) {
  (void)abandon(why);
  owner_->changed(this);
}

void map_job::drop() noexcept {
  const shared_job<map_job> last(this, false);
  try {
    cancel(nullptr);
  } catch (...) {
    // Out of memory. The remaining items run, and nobody takes their results.
  }
}

std::optional<finished_chunk> map_job::take(std::optional<std::uint64_t> wanted, steady_time deadline) {
  std::optional<finished_chunk> taken;
  const auto try_take = [&] {
    std::lock_guard lock(mutex_);
    const auto found = wanted ? finished_.find(*wanted) : finished_.begin();
    if (found == finished_.end()) return false;
    taken = std::move(found->second);
    finished_.erase(found);
    return true;
  };
  if (try_take()) return taken;
  awaited_.store(true);
  // The predicate only reads: the room calls it while it holds a lock that on_outcome() takes as well.
  (void)owner_->room().wait_until(deadline, [&] {
    std::lock_guard lock(mutex_);
    return wanted ? finished_.contains(*wanted) : !finished_.empty();
  });
  awaited_.store(false);
  (void)try_take();
  return taken;
}

void map_job::notify_taker() {
  if (awaited_.load()) owner_->room().notify();
}

}  // namespace rankpool::detail

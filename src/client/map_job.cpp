#include <rankpool/detail/client/map_job.hpp>

#include <algorithm>

namespace rankpool::detail {

map_job::map_job(std::shared_ptr<executor_core> owner, code_address run, std::uintptr_t kind, std::uint64_t items_per_chunk,
                 encoded_head head, std::unique_ptr<item_source> source, std::shared_ptr<journal_call> kept)
    : job(run, kind),
      owner_(std::move(owner)),
      chunksize_(items_per_chunk),
      head_(std::move(head.bytes)),
      kept_(std::move(head.kept)),
      source_(std::move(source)),
      journalled_(kept != nullptr),
      journal_(std::move(kept)) {}

void map_job::keep(const keepers& more) {
  std::lock_guard lock(mutex_);
  for (const auto& object : more) {
    if (std::find(kept_.begin(), kept_.end(), object) == kept_.end()) kept_.push_back(object);
  }
}

void map_job::seal() {
  std::lock_guard lock(mutex_);
  ready_ = added_;
  sealed_ = true;
}

void map_job::end_input() {
  if (journalled_) check_end();
  seal();
}

std::exception_ptr map_job::refusal() const {
  std::lock_guard lock(mutex_);
  if (abandoned_ == nullptr) return std::make_exception_ptr(pool_closed("the executor was shut down before all input was read"));
  owner_->note_left_out(abandoned_);
  return abandoned_;
}

std::uint64_t map_job::added() const {
  std::lock_guard lock(mutex_);
  return added_;
}

std::uint64_t map_job::available() {
  bool news = false;
  std::uint64_t items = 0;
  {
    std::lock_guard lock(mutex_);
    news = journal_ != nullptr && take_over();
    items = left_to_cut();
  }
  if (news) arrived();
  return items;
}

// Up to what an earlier run has finished.
std::uint64_t map_job::left_to_cut() const {
  if (journal_ == nullptr || journal_->known.empty()) return ready_ - cut_;
  return std::min(ready_, journal_->known.begin()->first) - cut_;
}

bool map_job::waits_for_known() const {
  std::lock_guard lock(mutex_);
  return journal_ != nullptr && !journal_->known.empty() && is_stuck();
}

// Somebody waits for a chunk and gives no more input before it is there, but there is none to come.
bool map_job::is_stuck() const { return awaited_ && full_ && ready_ > cut_ && finished_.empty() && inputs_.empty(); }

// What comes next and was finished by an earlier run is not cut but finished at once. True: there was some.
bool map_job::take_over() {
  bool any = false;
  auto& known = journal_->known;
  while (!known.empty() && known.begin()->first == cut_ && abandoned_ == nullptr) {
    const auto [first, chunk] = *known.begin();
    if (chunk.count > ready_ - cut_) {
      if (!is_stuck()) return any;  // the rest is still to come
      journal_->forget(first);
      continue;
    }
    journal_->restore(first);
    byte_buffer items;
    byte_writer out(items);
    source_->cut(out, first, chunk.count);
    cut_ += chunk.count;
    any = true;
    finished_chunk whole{first, chunk.count, {}, true};
    if (digest_of(items, {}, kept_) != chunk.input) {
      whole.kept = false;
      whole.result.error = journal_->mismatch("items " + std::to_string(first) + " to " + std::to_string(first + chunk.count - 1) +
                                              " are not those whose results it has");
      leave_rest(whole.result.error);
    }
    finished_.emplace(first, std::move(whole));
  }
  return any;
}

// An earlier run had more items.
void map_job::check_end() {
  {
    std::lock_guard lock(mutex_);
    if (journal_ == nullptr) return;
    journal_->note_items(added_);
    if (journal_->known.empty()) return;
    const auto& [first, chunk] = *journal_->known.rbegin();
    const std::uint64_t end = first + chunk.count;
    if (end <= added_) return;
    leave_rest(journal_->mismatch("there are " + std::to_string(added_) + " items, and it has results up to item " +
                                  std::to_string(end - 1)));
  }
  arrived();
}

chunk map_job::cut(std::uint64_t items) {
  std::lock_guard lock(mutex_);
  chunk p{.first = cut_, .count = std::min(items, left_to_cut()), .payload = {}, .out_of_band = {}, .kept = {}};
  if (p.count == 0) return p;
  byte_buffer payload;
  byte_writer out(payload);
  out.raw(head_.data(), head_.size());
  out.put<std::uint64_t>(p.count);
  const std::size_t before_items = payload.size();
  source_->cut(out, p.first, p.count);
  cut_ += p.count;
  if (journal_ != nullptr)
    inputs_.emplace(p.first, digest_of(std::span<const std::byte>(payload).subspan(before_items), {}, kept_));
  p.kept = std::make_shared<held<byte_buffer>>(std::move(payload));
  p.payload = p.kept->bytes();
  return p;
}

void map_job::on_requeued(std::uint64_t first, std::uint64_t count) {
  bool is_over = false;
  {
    std::lock_guard lock(mutex_);
    is_over = has_left_rest_;
    is_over ? leave_chunk(first, count) : void(requeued_.emplace(first, count));
  }
  if (is_over) arrived();
}

bool map_job::is_requeued(std::uint64_t first) const {
  std::lock_guard lock(mutex_);
  return requeued_.contains(first);
}

bool map_job::resume(std::uint64_t first) {
  std::lock_guard lock(mutex_);
  return requeued_.erase(first) > 0;
}

bool map_job::on_outcome(std::uint64_t first, std::uint64_t count, outcome result) {
  if (journalled_) note(first, count, result);
  {
    std::lock_guard lock(mutex_);
    finished_.emplace(first, finished_chunk{first, count, std::move(result)});
  }
  arrived();
  return false;
}

std::shared_ptr<journal_call> map_job::journal() const {
  std::lock_guard lock(mutex_);
  return journal_;
}

// The job itself may be held for long by who will look at it some day; the file is to be closed.
void map_job::let_journal_go() {
  std::shared_ptr<journal_call> gone;  // after the lock: it may write
  std::lock_guard lock(mutex_);
  if (dropped_ && inputs_.empty()) gone.swap(journal_);
}

void map_job::drop() {
  cancel(nullptr);
  {
    std::lock_guard lock(mutex_);
    dropped_ = true;
  }
  let_journal_go();
}

// What cannot be kept is an error, and the end of the job: the rest would be lost as well.
void map_job::note(std::uint64_t first, std::uint64_t count, outcome& result) {
  std::shared_ptr<journal_call> kept;
  digest input{};
  {
    std::lock_guard lock(mutex_);
    kept = journal_;  // is there as long as a chunk is running
    input = inputs_.extract(first).mapped();
  }
  try {
    kept->note(first, count, input, result);
  } catch (...) {
    result = {};
    result.error = std::current_exception();
    cancel(result.error);
  }
  let_journal_go();
}

bool map_job::abandon(const std::exception_ptr& why) {
  {
    std::lock_guard lock(mutex_);
    leave_rest(why);
  }
  arrived();
  return false;
}

void map_job::leave_rest(const std::exception_ptr& why) {
  abandoned_ = why;
  has_left_rest_ = true;
  if (added_ > cut_) leave_chunk(cut_, added_ - cut_);
  for (const auto& [first, count] : requeued_) leave_chunk(first, count);
  requeued_.clear();
  cut_ = ready_ = added_;
  if (journal_ != nullptr) journal_->known.clear();
  sealed_ = true;
  source_.reset();
}

void map_job::leave_chunk(std::uint64_t first, std::uint64_t count) {
  inputs_.erase(first);
  finished_chunk left{first, count, {}};
  left.result.error = abandoned_ ? abandoned_ : std::make_exception_ptr(cancelled_error());
  finished_.emplace(first, std::move(left));
}

void map_job::cancel(const std::exception_ptr& why) {
  (void)abandon(why);
  owner_->changed(this);
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
  if (try_take()) return prepared(std::move(taken));
  awaited_.store(true);
  if (journalled_ && waits_for_known()) owner_->changed(this);
  // Only looks: the room calls it under its own lock, which a completing thread takes as well.
  (void)owner_->room().wait_until(deadline, [&] {
    std::lock_guard lock(mutex_);
    return wanted ? finished_.contains(*wanted) : !finished_.empty();
  });
  awaited_.store(false);
  (void)try_take();
  return prepared(std::move(taken));
}

// With a journal: reads what it has kept, and gives the last chunk only once all is on the disk.
std::optional<finished_chunk> map_job::prepared(std::optional<finished_chunk> chunk) {
  const auto kept = chunk && journalled_ ? journal() : nullptr;
  if (kept == nullptr) return chunk;
  try {
    if (chunk->kept) chunk->result = kept->load(chunk->first);
    bool last = false;
    {
      std::lock_guard lock(mutex_);
      last = sealed_ && cut_ == added_ && inputs_.empty() && finished_.empty();
    }
    if (last && chunk->result.what != outcome::kind::not_run) kept->commit();
  } catch (...) {  // above all journal_error and std::bad_alloc
    chunk->result = {};
    chunk->result.error = std::current_exception();
  }
  return chunk;
}

void map_job::arrived() {
  if (awaited_.load()) owner_->room().notify();
}

std::exception_ptr map_job::time_out(std::uint64_t yielded) {
  cancel(std::make_exception_ptr(cancelled_error("the map's timeout was up before this item was started")));
  return std::make_exception_ptr(timeout_error("map: the timeout is up with " + std::to_string(yielded) + " results yielded"));
}

void job_owner::cancel() noexcept {
  if (job_ == nullptr) return;
  try {
    job_->drop();
  } catch (...) {  // only memory can fail here; the items then run, unread
  }
  job_.reset();
}

}  // namespace rankpool::detail

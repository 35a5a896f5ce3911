#include <rankpool/detail/piecewise_job.hpp>

#include <algorithm>

namespace rankpool::detail {

piecewise_job::piecewise_job(std::shared_ptr<executor_core> owner, task_function run, std::uintptr_t kind,
                             std::uint64_t items_per_piece, encoded_head head, std::unique_ptr<item_source> source)
    : job(run, kind), owner_(std::move(owner)), chunksize_(items_per_piece), head_(std::move(head.bytes)), kept_(std::move(head.kept)), source_(std::move(source)) {}

void piecewise_job::keep(const keepers& more) {
  std::lock_guard lock(mutex_);
  for (const auto& object : more) {
    if (std::find(kept_.begin(), kept_.end(), object) == kept_.end()) kept_.push_back(object);
  }
}

void piecewise_job::seal() {
  std::lock_guard lock(mutex_);
  ready_ = added_;
  sealed_ = true;
}

std::exception_ptr piecewise_job::refusal() const {
  std::lock_guard lock(mutex_);
  return abandoned_ ? abandoned_ : std::make_exception_ptr(pool_closed("the executor was shut down before all input was read"));
}

std::uint64_t piecewise_job::added() const {
  std::lock_guard lock(mutex_);
  return added_;
}

std::uint64_t piecewise_job::available() {
  std::lock_guard lock(mutex_);
  return ready_ - cut_;
}

piece piecewise_job::cut(std::uint64_t items) {
  std::lock_guard lock(mutex_);
  piece p{.first = cut_, .count = std::min(items, ready_ - cut_), .payload = {}, .beside = {}, .kept = {}};
  if (p.count == 0) return p;
  byte_buffer payload;
  byte_writer out(payload);
  out.raw(head_.data(), head_.size());
  out.put<std::uint64_t>(p.count);
  source_->cut(out, p.first, p.count);
  cut_ += p.count;
  p.kept = std::make_shared<held<byte_buffer>>(std::move(payload));
  p.payload = p.kept->bytes();
  return p;
}

bool piecewise_job::on_outcome(std::uint64_t first, std::uint64_t count, outcome result) {
  {
    std::lock_guard lock(mutex_);
    finished_.emplace(first, finished_piece{first, count, std::move(result)});
  }
  arrived();
  return false;
}

bool piecewise_job::abandon(const std::exception_ptr& why) {
  {
    std::lock_guard lock(mutex_);
    if (added_ > cut_) {
      finished_piece rest{cut_, added_ - cut_, {}};
      rest.result.error = why ? why : std::make_exception_ptr(cancelled_error());
      finished_.emplace(rest.first, std::move(rest));
    }
    cut_ = ready_ = added_;
    sealed_ = true;
    abandoned_ = why;
    source_.reset();
  }
  arrived();
  return false;
}

void piecewise_job::cancel(const std::exception_ptr& why) {
  (void)abandon(why);
  owner_->changed(this);
}

std::optional<finished_piece> piecewise_job::take(std::optional<std::uint64_t> wanted, steady_time deadline) {
  std::optional<finished_piece> taken;
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
  // Only looks: the room calls it under its own lock, which a completing thread takes as well.
  (void)owner_->room().wait_until(deadline, [&] {
    std::lock_guard lock(mutex_);
    return wanted ? finished_.contains(*wanted) : !finished_.empty();
  });
  awaited_.store(false);
  (void)try_take();
  return taken;
}

void piecewise_job::arrived() {
  if (awaited_.load()) owner_->room().notify();
}

}  // namespace rankpool::detail

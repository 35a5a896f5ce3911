#include "dispatcher/pool.hpp"

#include <algorithm>
#include <utility>

namespace rankpool::detail {

pool::pool(std::shared_ptr<transport> link, std::vector<worker_info> workers, const pool_options& options)
    : workers_(std::move(workers)),
      has_runner_processes_(options.runner_processes),
      survives_lost_workers_(options.survives_lost_workers),
      link_(std::move(link)),
      statistics_(workers_, options.on_lost),
      trace_(options.trace),
      dispatcher_(*link_, inbox_, life_, waiting_, statistics_, workers_,
                  {.nodes = options.nodes, .scheduling = options.scheduling, .may_send = options.may_send, .trace = trace_.get()}),
      driver_(*link_, dispatcher_, waiting_, life_, {.progress_thread = options.progress_thread}) {}

pool::~pool() { driver_.detach(); }

std::vector<worker_info> pool::workers_now() const {
  std::vector<worker_info> now = workers_;
  for (std::size_t w = 0; w < now.size(); ++w) now[w].lost = dispatcher_.is_lost({static_cast<int>(w)});
  return now;
}

bool pool::has_lost_workers() const { return std::ranges::any_of(workers_now(), &worker_info::lost); }

void pool::drain() {
  if (!post(drain_requested{})) return;
  (void)driver_.wait_until(steady_time::max(), [this] { return dispatcher_.is_drained() || life_.has_failed(); });
}

void pool::stop_early(const std::string& why) {
  if (life_.stop_early(why, std::chrono::steady_clock::now())) post(stop_requested{});
}

bool pool::end(int status, const std::exception_ptr& why, timeout limit) {
  if (link_ == nullptr) return !life_.has_failed();
  post(std::make_unique<end_requested>(why, status, false));
  const bool is_over = driver_.wait_until(deadline_after(limit), [this] { return life_.is_over(); });
  if (!is_over || life_.has_failed()) return false;  // the transport cannot be taken down without the other side
  driver_.detach();
  link_.reset();
  return true;
}

bool pool::end_for_exit(int status, const std::exception_ptr& why, std::chrono::nanoseconds limit) {
  life_.begin_exit();
  if (link_ == nullptr) return !life_.has_failed();
  const auto deadline = deadline_after(limit);
  post(std::make_unique<end_requested>(why, status, true));
  driver_.wait_for_exit(deadline);
  if (!life_.is_over() || life_.has_failed() || !driver_.detach_for_exit(deadline)) return false;
  link_.reset();
  return true;
}

}  // namespace rankpool::detail

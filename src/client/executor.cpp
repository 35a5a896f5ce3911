// Defines the members of executor that are not templates.
#include <rankpool/executor.hpp>

#include "journal/file.hpp"
#include "journal/tasks.hpp"

#include <exception>
#include <stdexcept>
#include <string>

namespace rankpool {

executor::executor(cluster& c, executor_options options)
    : core_(detail::executor_core::open(detail::cluster_access::get(c), options.max_workers, options.initializer.encoded(),
                                        options.max_pending)),
      journal_(std::move(options.journal)),
      exceptions_(std::uncaught_exceptions()) {}

executor& executor::operator=(executor&& other) noexcept {
  if (this != &other) {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
  }
  return *this;
}

executor::~executor() {
  if (core_ == nullptr) return;
  const bool failing = std::uncaught_exceptions() > exceptions_;
  core_->shutdown(!failing, failing);
}

int executor::num_workers() const { return core()->num_workers(); }

void executor::shutdown(shutdown_options options) { core()->shutdown(options.wait, options.cancel_futures); }

const std::shared_ptr<detail::executor_core>& executor::core() const {
  if (core_ == nullptr) throw pool_closed("this executor was moved from");
  return core_;
}

detail::shared_job<detail::map_job> executor::start(const map_options& options, const detail::call_description& what,
                                                    detail::encoded_head head, std::unique_ptr<detail::item_source> source) {
  (void)detail::buffer_limit(options.buffersize);
  if (options.chunksize < 0) {
    throw std::invalid_argument("chunksize must be 0 (chosen by measured time) or more, got " + std::to_string(options.chunksize));
  }
  const bool own = detail::journal_access::get(options.journal) != nullptr;
  auto kept = detail::journal_call::begin(own ? options.journal : journal_, what, head.bytes, head.kept);
  auto job = detail::make_job<detail::map_job>(core(), what.function, what.identity, static_cast<std::uint64_t>(options.chunksize),
                                               std::move(head), std::move(source), std::move(kept));
  core()->submit(job, options.priority);
  return job;
}

// Restores the task's result from the journal, or submits the task.
void executor::enter(const detail::shared_job<detail::future_state_base>& state, const task_options& options,
                     const std::type_info& callable, const std::type_info& result) {
  if (detail::journal_access::get(journal_) != nullptr &&
      state->recall(detail::journal_tasks::of(journal_, {state->function, state->identity, callable, result, false}))) {
    return;
  }
  const bool has_place = core()->take_place();
  if (has_place) state->hold_place();
  try {
    core()->submit(state, options.priority);
  } catch (...) {
    if (has_place) core()->on_place_free();
    throw;
  }
}

}  // namespace rankpool

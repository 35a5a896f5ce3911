// The members of executor that need no template.
#include <rankpool/executor.hpp>

#include "journal/file.hpp"
#include "journal/tasks.hpp"

#include <exception>
#include <stdexcept>
#include <string>

namespace rankpool {

executor::executor(cluster& c, executor_options options)
    : core_(detail::executor_core::open(detail::cluster_access::get(c), options.max_workers, options.initializer.encoded())),
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

detail::shared_job<detail::piecewise_job> executor::start(const map_options& options, const detail::call_description& what,
                                                          detail::encoded_head head, std::unique_ptr<detail::item_source> source) {
  (void)detail::buffer_limit(options);
  if (options.chunksize < 0) {
    throw std::invalid_argument("chunksize must be 0 (chosen by measured time) or more, got " + std::to_string(options.chunksize));
  }
  const bool own = detail::journal_access::get(options.journal) != nullptr;
  auto kept = detail::journal_call::begin(own ? options.journal : journal_, what, head.bytes, head.kept);
  auto job =
      detail::make_job<detail::piecewise_job>(core(), what.function, what.identity, static_cast<std::uint64_t>(options.chunksize),
                                              std::move(head), std::move(source), std::move(kept));
  core()->submit(job, options.priority);
  return job;
}

// With a journal, what an earlier run has finished is over at once.
void executor::enter(const detail::shared_job<detail::future_state_base>& state, const task_options& options,
                     const std::type_info& callable, detail::result_printer print) {
  if (detail::journal_access::get(journal_) != nullptr &&
      state->recall(detail::journal_tasks::of(journal_, {state->function, state->identity, callable, false, print}))) {
    return;
  }
  core()->submit(state, options.priority);
}

namespace detail {

std::uint64_t buffer_limit(const map_options& options) {
  if (options.buffersize < 0) {
    throw std::invalid_argument("buffersize must be 0 (no limit) or more, got " + std::to_string(options.buffersize));
  }
  return options.buffersize == 0 ? no_limit : static_cast<std::uint64_t>(options.buffersize);
}

void fail_unwritable(future_state_base& state) {
  std::exception_ptr why;
  try {
    rethrow_as_serialization_error("an argument could not be written");
  } catch (...) {
    why = std::current_exception();
  }
  if (state.abandon(why)) state.react();
}

}  // namespace detail
}  // namespace rankpool

// executor: hands tasks to the workers and gives futures for their results.
#pragma once

#include <rankpool/cluster.hpp>
#include <rankpool/detail/input_feed.hpp>
#include <rankpool/detail/json_text.hpp>
#include <rankpool/detail/reduction.hpp>
#include <rankpool/future.hpp>
#include <rankpool/map_results.hpp>
#include <rankpool/options.hpp>
#include <rankpool/shared.hpp>

#include <concepts>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace rankpool {

/// The tasks of one owner on the cluster's workers. Any thread of rank 0 may call any member.
class executor {
 public:
  /// Several executors may live at once and share the workers, each within its own max_workers.
  /// Throws std::invalid_argument, pool_closed, serialization_error (the initializer).
  explicit executor(cluster& c, executor_options options = {});
  executor(executor&&) noexcept = default;
  executor& operator=(executor&& other) noexcept;
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  /// shutdown({.wait = true}); while an exception is on its way out, what has not started is cancelled and
  /// nothing is waited for.
  ~executor();

  /// Queues f(args...) for a worker. Throws pool_closed after shutdown, broken_pool after a failed initializer.
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, task_options>)
  auto submit(F&& f, Args&&... args) {
    return submit(task_options{}, std::forward<F>(f), std::forward<Args>(args)...);
  }

  template <class F, class... Args>
  auto submit(task_options options, F&& f, Args&&... args) {
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    using stored = detail::stored_arguments_t<callable, Args...>;
    using result = detail::task_result_t<callable, stored>;
    const callable& function = f;  // a function's name becomes a pointer to it
    auto state = detail::make_job<detail::future_state<result>>(core(), &detail::run_call<callable, stored>,
                                                                detail::callable_codec<callable>::identity(function));
    if (encode_call<stored>(*state, function, std::forward<Args>(args)...)) enter(state, options, typeid(callable), &detail::print_result<result>);
    return detail::future_access::make(std::move(state));
  }

  /// f over the ranges zipped to the shortest; results in input order.
  /// Throws what reading the input throws, pool_closed, broken_pool, std::invalid_argument.
  template <class F, std::ranges::input_range... Ranges>
    requires(sizeof...(Ranges) > 0 && !std::same_as<std::remove_cvref_t<F>, map_options>)
  auto map(F&& f, Ranges&&... ranges) {
    return map(map_options{}, std::forward<F>(f), std::forward<Ranges>(ranges)...);
  }

  template <class F, std::ranges::input_range... Ranges>
    requires(sizeof...(Ranges) > 0)
  auto map(map_options options, F&& f, Ranges&&... ranges) {
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    using stored = detail::stored_arguments_t<callable, std::ranges::range_reference_t<Ranges>...>;
    return map_over<stored, callable>(options, f, detail::feed_of<stored, false>(std::forward<Ranges>(ranges)...));
  }

  template <class F, class T>
  auto map(F&& f, std::initializer_list<T> items) {
    return map(map_options{}, std::forward<F>(f), items);
  }

  template <class F, class T>
  auto map(map_options options, F&& f, std::initializer_list<T> items) {
    return map(options, std::forward<F>(f), std::vector<T>(items));  // with a buffer they are read later
  }

  /// f over a range of tuples, each one call's arguments.
  template <class F, std::ranges::input_range Range>
    requires(!std::same_as<std::remove_cvref_t<F>, map_options>)
  auto starmap(F&& f, Range&& range) {
    return starmap(map_options{}, std::forward<F>(f), std::forward<Range>(range));
  }

  template <class F, std::ranges::input_range Range>
  auto starmap(map_options options, F&& f, Range&& range) {
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    using stored = detail::stored_tuple_t<callable, std::remove_cvref_t<std::ranges::range_reference_t<Range>>>;
    return map_over<stored, callable>(options, f, detail::feed_of<stored, true>(std::forward<Range>(range)));
  }

  /// reduce(init, transform(item)...) in input order, as std::transform_reduce; `reduce` must be associative.
  /// Each piece is transformed and reduced where it runs. Blocks until done.
  /// Throws the first error of a task, timeout_error, cancelled_error, and as map does.
  template <std::ranges::input_range Range, class T, class Reduce, class Transform>
    requires(!std::same_as<std::remove_cvref_t<Range>, map_options>)
  T transform_reduce(Range&& range, T init, Reduce reduce, Transform transform) {
    return transform_reduce(map_options{}, std::forward<Range>(range), std::move(init), std::move(reduce),
                            std::move(transform));
  }

  template <std::ranges::input_range Range, class T, class Reduce, class Transform>
  T transform_reduce(map_options options, Range&& range, T init, Reduce reduce, Transform transform) {
    static_assert(detail::check_callable<Reduce>());
    static_assert(detail::check_callable<Transform>());
    static_assert(detail::check_result<T>());
    using stored = detail::stored_arguments_t<Transform, std::ranges::range_reference_t<Range>>;
    auto feed = detail::feed_of<stored, false>(std::forward<Range>(range));
    using items = typename decltype(feed)::items;
    detail::encoded_head head;
    detail::encode_callables(head, reduce, transform);
    const auto deadline = detail::deadline_after(options.timeout);
    auto job = start(options,
                     {&detail::run_reduce_piece<T, Reduce, Transform, stored, items>,
                      detail::callable_codec<Transform>::identity(transform), typeid(Transform), false, &detail::print_result<T>},
                     std::move(head), feed.source());
    return detail::reduce_pieces(detail::job_owner(std::move(job)), feed, detail::buffer_limit(options), deadline,
                                 std::move(init), reduce);
  }

  /// Sends a value to every node once, for tasks to take as `const shared<T>&`; it is freed everywhere when the last
  /// handle on rank 0 goes, or the last task that was given one. Throws pool_closed, broken_pool, serialization_error,
  /// std::bad_alloc if the node has no memory for it.
  template <class T>
  shared<std::decay_t<T>> share(T&& value) {
    using kept = std::decay_t<T>;
    static_assert(detail::check_parameter<kept>());
    if constexpr (detail::sharing<kept>::in_place) {
      auto data = core()->share(detail::sharing<kept>::bytes(value), nullptr);
      if constexpr (!std::is_lvalue_reference_v<T>) [[maybe_unused]] const kept gone(std::move(value));  // its memory is not needed
      return detail::shared_access::make<kept>(std::move(data));
    } else {
      detail::byte_buffer bytes;
      detail::encode_shared(bytes, value);
      return detail::shared_access::make<kept>(core()->share(bytes, std::make_shared<const kept>(std::forward<T>(value))));
    }
  }

  /// Workers that this executor may use; 0 once shut down.
  int num_workers() const;

  /// Ends the executor: no further task is taken. May be called again, to wait or to cancel as well.
  void shutdown(shutdown_options options = {});

 private:
  const std::shared_ptr<detail::executor_core>& core() const;

  detail::shared_job<detail::piecewise_job> start(const map_options& options, const detail::call_description& what,
                                               detail::encoded_head head, std::unique_ptr<detail::item_source> source);

  void enter(const detail::shared_job<detail::future_state_base>& state, const task_options& options, const std::type_info& callable,
             detail::result_printer print);

  // False: an argument could not be written, and the future has failed already.
  template <class Stored, class F, class... Args>
  static bool encode_call(detail::future_state_base& state, const F& f, Args&&... args) {
    try {
      detail::blocks beside;
      detail::keepers kept;
      detail::byte_writer out(state.bytes, &beside, &kept);
      detail::callable_codec<F>::encode(out, f);
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        (detail::encode_as<std::tuple_element_t<I, Stored>>(out, std::forward<Args>(args)), ...);
      }(std::index_sequence_for<Args...>{});
      state.attach(std::move(beside), std::move(kept));
      return true;
    } catch (...) {
      detail::fail_unwritable(state);
      return false;
    }
  }

  template <class Stored, class F, class Feed>
  auto map_over(const map_options& options, const F& f, Feed feed) {
    using result = detail::task_result_t<F, Stored>;
    const auto deadline = detail::deadline_after(options.timeout);
    detail::encoded_head head;
    detail::encode_callables(head, f);
    auto job = start(options,
                     {&detail::run_map_piece<F, Stored, typename Feed::items>, detail::callable_codec<F>::identity(f), typeid(F), true,
                      &detail::print_result<result>},
                     std::move(head), feed.source());
    return map_results<result>(detail::job_owner(std::move(job)), std::make_unique<Feed>(std::move(feed)),
                               detail::buffer_limit(options), options.ordered, deadline);
  }

  std::shared_ptr<detail::executor_core> core_;
  journal journal_;
  int exceptions_ = 0;  // on their way out when this was made
};

}  // namespace rankpool

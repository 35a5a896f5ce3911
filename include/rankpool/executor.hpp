// executor: sends tasks to the workers, and returns futures for their results.
#pragma once

#include <rankpool/cluster.hpp>
#include <rankpool/detail/client/encode_call.hpp>
#include <rankpool/detail/journal/call_description.hpp>
#include <rankpool/detail/map/feed_of.hpp>
#include <rankpool/detail/map/reduction.hpp>
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

/// Sends tasks to the workers of a cluster. Several executors may exist at the same time; they share the workers, and each uses at
/// most executor_options::max_workers of them.
///
/// Callables and arguments: a callable is a plain function, a captureless lambda, a serialisable function object, or a `partial` of
/// these. Arguments and results must be serialisable. Other types do not compile, and the error message names the remedy.
///
/// Throws: pool_closed, from every member that starts work, after shutdown(), after the run has ended, and if the executor was
/// moved from; broken_pool after the initializer has failed; stopped_error after the run was stopped early; rankpool::error in a
/// task.
/// Thread safety: any thread of rank 0 may call any member, except construction, assignment and destruction.
class executor {
 public:
  /// Opens an executor on the cluster.
  /// Throws: std::invalid_argument if max_workers is negative; serialization_error if the initializer cannot be serialised;
  /// pool_closed after the run has ended; stopped_error after the grace period of a run that was stopped early.
  explicit executor(cluster& c, executor_options options = {});

  /// Takes over the tasks of another executor, which is unusable afterwards.
  executor(executor&&) noexcept = default;

  /// Destroys this executor, then takes over the tasks of `other`.
  /// Blocks: as the destructor.
  executor& operator=(executor&& other) noexcept;

  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;

  /// Calls shutdown({.wait = true}). If an exception is unwinding the stack, it cancels tasks that have not started instead, and
  /// does not wait.
  /// Blocks: until all tasks are done, unless an exception is unwinding the stack.
  ~executor();

  /// Submits the task f(args...) and returns a future for its result. If an argument cannot be serialised, the future fails with
  /// serialization_error. If the executor's journal has the result of this task, the future is done at once.
  /// Throws: pool_closed, broken_pool, stopped_error; journal_error if the executor's journal cannot be used.
  /// Blocks: while executor_options::max_pending submitted tasks are not done.
  /// Lifetime: the arguments are serialised during the call; references to them are not kept.
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, task_options>)
  auto submit(F&& f, Args&&... args) { return submit(task_options{}, std::forward<F>(f), std::forward<Args>(args)...); }

  /// Does the same with options for this task.
  template <class F, class... Args>
  auto submit(task_options options, F&& f, Args&&... args) {
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    using stored = detail::stored_arguments_t<callable, Args...>;
    using result = detail::task_result_t<callable, stored>;
    const callable& function = f;  // a function's name becomes a pointer to it
    auto state = detail::make_job<detail::future_state<result>>(
        core(), detail::locate_function(&detail::run_call<callable, stored>), detail::callable_codec<callable>::identity(function));
    if (encode_call<stored>(*state, function, std::forward<Args>(args)...))
      enter(*state, options, typeid(callable), typeid(result));
    return detail::future_access::make(std::move(state));
  }

  /// Calls f with one item of each range at a time, up to the end of the shortest range, and returns the results as an input range
  /// in input order. The tasks start at once. If an item cannot be serialised, only this item fails.
  /// Throws: what reading the input throws; std::invalid_argument for options out of range; serialization_error if f cannot be
  /// serialised; pool_closed, broken_pool, stopped_error; journal_error if the journal cannot be used or belongs to other calls.
  /// Blocks: while it reads the input, unless map_options::buffersize is set.
  /// Complexity: one serialisation per item; a range of consecutive integers (std::views::iota) is sent as its bounds, in O(1).
  /// Lifetime: with map_options::buffersize, a range that is passed as an lvalue must outlive the map_results.
  template <class F, std::ranges::input_range... Ranges>
    requires(sizeof...(Ranges) > 0 && !std::same_as<std::remove_cvref_t<F>, map_options>)
  auto map(F&& f, Ranges&&... ranges) { return map(map_options{}, std::forward<F>(f), std::forward<Ranges>(ranges)...); }

  /// Does the same with options for this map.
  template <class F, std::ranges::input_range... Ranges>
    requires(sizeof...(Ranges) > 0)
  auto map(map_options options, F&& f, Ranges&&... ranges) {
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    using stored = detail::stored_arguments_t<callable, std::ranges::range_reference_t<Ranges>...>;
    return map_over<stored, callable>(options, f, detail::feed_of<stored, false>(std::forward<Ranges>(ranges)...));
  }

  /// Does the same for a braced list of items.
  template <class F, class T>
  auto map(F&& f, std::initializer_list<T> items) {
    return map(map_options{}, std::forward<F>(f), items);
  }

  /// Does the same for a braced list of items, with options.
  template <class F, class T>
  auto map(map_options options, F&& f, std::initializer_list<T> items) {
    return map(options, std::forward<F>(f), std::vector<T>(items));  // copied, because a map with a buffersize reads them later
  }

  /// Calls f with the elements of one tuple at a time: each std::tuple, std::pair or std::array of the range has the arguments of
  /// one call. Otherwise as map().
  template <class F, std::ranges::input_range Range>
    requires(!std::same_as<std::remove_cvref_t<F>, map_options>)
  auto starmap(F&& f, Range&& range) { return starmap(map_options{}, std::forward<F>(f), std::forward<Range>(range)); }

  /// Does the same with options for this map.
  template <class F, std::ranges::input_range Range>
  auto starmap(map_options options, F&& f, Range&& range) {
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    using stored = detail::stored_tuple_t<callable, std::remove_cvref_t<std::ranges::range_reference_t<Range>>>;
    return map_over<stored, callable>(options, f, detail::feed_of<stored, true>(std::forward<Range>(range)));
  }

  /// Returns reduce(...reduce(reduce(init, transform(item1)), transform(item2))..., transform(itemN)), as a sequential loop would.
  /// `reduce` must be associative; it need not be commutative. Each worker transforms and reduces its chunk and returns one value.
  /// `init` is used once.
  /// Throws: the first exception of a task that arrives; timeout_error if map_options::timeout expires; cancelled_error after
  /// shutdown({.cancel_futures = true}); otherwise as map(). Items that have not started are cancelled.
  /// Blocks: until all chunks are reduced.
  /// Complexity: memory on rank 0 is proportional to the chunks in flight, plus the input that was read (see map()).
  template <std::ranges::input_range Range, class T, class Reduce, class Transform>
    requires(!std::same_as<std::remove_cvref_t<Range>, map_options>)
  T transform_reduce(Range&& range, T init, Reduce reduce, Transform transform) {
    return reduce_over(map_options{}, std::forward<Range>(range), std::move(init), reduce, transform);
  }

  /// Does the same with options for this reduction.
  template <std::ranges::input_range Range, class T, class Reduce, class Transform>
  T transform_reduce(map_options options, Range&& range, T init, Reduce reduce, Transform transform) {
    return reduce_over(options, std::forward<Range>(range), std::move(init), reduce, transform);
  }

  /// Sends a value to each node once, and returns a handle that tasks take as `const shared<T>&`. All nodes free the memory when
  /// the last handle on rank 0 is destroyed and no task that got a handle is left. If another node than that of rank 0 has not
  /// enough memory, tasks that use the value there fail with serialization_error.
  /// Throws: std::bad_alloc if the node of rank 0 has not enough memory; serialization_error if the value cannot be serialised;
  /// pool_closed, broken_pool, stopped_error; rankpool::error in a task, or if the node provides no shared memory.
  template <class T>
  shared<std::decay_t<T>> share(T&& value) {
    using kept = std::decay_t<T>;
    static_assert(detail::check_parameter<kept>());
    using sharing = detail::sharing<kept>;
    if constexpr (sharing::in_place) {
      if constexpr (detail::has_padding_in<kept> && !std::is_reference_v<T> && !std::is_const_v<T>) {
        detail::clear_padding(sharing::elements(value));
      } else if constexpr (detail::has_padding_in<kept>) {
        detail::boxed_if_large<kept> copy([&]() -> const kept& { return value; });
        return share(std::move(*copy));
      }
      auto data = core()->share(sharing::bytes(value), nullptr);
      if constexpr (!std::is_reference_v<T> && !std::is_trivially_copyable_v<kept>) {
        [[maybe_unused]] const kept gone(std::move(value));  // frees the original: the shared copy replaces it
      }
      return detail::shared_access::make<kept>(std::move(data));
    } else {
      detail::byte_buffer bytes;
      detail::encode_shared(bytes, value);
      return detail::shared_access::make<kept>(core()->share(bytes, std::make_shared<const kept>(std::forward<T>(value))));
    }
  }

  /// Runs f(args...) once on each worker of this executor, and returns a std::vector of the results in rank order, or nothing if f
  /// returns void. The call runs after the executor's initializer and before pending tasks. If max_workers is less than the number
  /// of workers, the executor chooses workers that it has used before, then idle ones; from then on it uses only these. Journals
  /// do not keep the results.
  /// Throws: when all calls are done, the first exception in rank order; serialization_error if an argument cannot be serialised;
  /// pool_closed, broken_pool, stopped_error.
  /// Blocks: until all calls are done. A worker that runs a task finishes this task first.
  template <class F, class... Args>
  auto run_everywhere(F&& f, Args&&... args) {
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    using stored = detail::stored_arguments_t<callable, Args...>;
    using result = detail::task_result_t<callable, stored>;
    const callable& function = f;
    std::vector<detail::shared_job<detail::future_state<result>>> calls;
    for (int w = 0; w < core()->most_workers(); ++w) {
      calls.push_back(detail::make_job<detail::future_state<result>>(core(),
                                                                     detail::locate_function(&detail::run_call<callable, stored>),
                                                                     detail::callable_codec<callable>::identity(function)));
      if (!encode_call<stored>(*calls.back(), function, std::as_const(args)...)) calls.back()->await_value({});  // throws
    }
    core()->submit_everywhere({calls.begin(), calls.end()});
    for (const auto& call : calls) call->wait_until(detail::steady_time::max());
    if constexpr (std::is_void_v<result>) {
      for (const auto& call : calls) call->await_value({});
    } else {
      std::vector<result> results;
      results.reserve(calls.size());
      for (const auto& call : calls) {
        call->await_value({});
        results.push_back(call->take(true));
      }
      return results;
    }
  }

  /// Returns how many workers this executor may use, or 0 after shutdown().
  /// Throws: pool_closed if the executor was moved from.
  int num_workers() const;

  /// Shuts the executor down, cancels tasks that have not started, and sends SIGTERM to the processes of its running tasks, which fail
  /// with worker_lost. A task that ignores SIGTERM continues.
  /// Throws: std::invalid_argument without isolation::process; pool_closed if the executor was moved from.
  void terminate_workers();

  /// Does the same with SIGKILL, which no task can ignore.
  void kill_workers();

  /// Shuts the executor down: it accepts no further tasks. A later call may add waiting or cancelling.
  /// Throws: pool_closed if the executor was moved from.
  /// Blocks: until all tasks are done, with shutdown_options::wait.
  void shutdown(shutdown_options options = {});

 private:
  const std::shared_ptr<detail::executor_core>& core() const;

  detail::map_call_ptr start(const map_options& options, const detail::call_description& what, detail::encoded_head head,
                             const detail::input_feed& feed);

  void enter(detail::future_state_base& state, const task_options& options, const std::type_info& callable,
             const std::type_info& result);
  bool restore(detail::future_state_base& state, const std::type_info& callable, const std::type_info& result);

  // Returns false if an argument could not be serialised; the future has failed then.
  template <class Stored, class F, class... Args>
  static bool encode_call(detail::future_state_base& state, const F& f, Args&&... args) {
    try {
      detail::blocks out_of_band;
      detail::shared_references references;
      detail::byte_writer out(state.bytes, &out_of_band, &references);
      detail::callable_codec<F>::encode(out, f);
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        (detail::encode_as<typename Stored::template type<I>>(out, std::forward<Args>(args)), ...);
      }
      (std::index_sequence_for<Args...>{});
      state.attach(std::move(out_of_band), std::move(references));
      return true;
    } catch (...) {
      detail::fail_unwritable(state);
      return false;
    }
  }

  template <class Range, class T, class Reduce, class Transform>
  T reduce_over(const map_options& options, Range&& range, T&& init, Reduce& reduce, Transform& transform) {
    static_assert(detail::check_callable<Reduce>());
    static_assert(detail::check_callable<Transform>());
    static_assert(detail::check_result<T>());
    using stored = detail::stored_arguments_t<Transform, std::ranges::range_reference_t<Range>>;
    auto feed = detail::feed_of<stored, false>(std::forward<Range>(range));
    using items = typename decltype(feed)::items;
    detail::encoded_head head;
    detail::encode_callables(head, reduce, transform);
    const auto deadline = detail::deadline_after(options.timeout);
    auto call = start(options,
                      {detail::locate_function(&detail::run_reduce_chunk<T, Reduce, Transform, stored, items>),
                       detail::callable_codec<Transform>::identity(transform), typeid(Transform), typeid(T), false},
                      std::move(head), feed);
    return detail::reduce_chunks(std::move(call), feed, detail::buffer_limit(options.buffersize), deadline, std::move(init),
                                 reduce);
  }

  template <class Stored, class F, class Feed>
  auto map_over(const map_options& options, const F& f, Feed feed) {
    using result = detail::task_result_t<F, Stored>;
    const auto deadline = detail::deadline_after(options.timeout);
    detail::encoded_head head;
    detail::encode_callables(head, f);
    auto call = start(options,
                      {detail::locate_function(&detail::run_map_chunk<F, Stored, typename Feed::items>),
                       detail::callable_codec<F>::identity(f), typeid(F), typeid(result), true},
                      std::move(head), feed);
    return map_results<result>(std::move(call), std::make_unique<Feed>(std::move(feed)), detail::buffer_limit(options.buffersize),
                               options.ordered, deadline);
  }

  std::shared_ptr<detail::executor_core> core_;
  journal journal_;
  int exceptions_ = 0;  // std::uncaught_exceptions() at construction
};

}  // namespace rankpool

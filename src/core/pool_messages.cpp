// What the pool tells its workers, and what it makes of what they say: frames to events of the scheduler, its orders to frames.
#include "pool.hpp"

#include "log.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace rankpool::detail {

bool pool::take_frames(effects& out) {
  if (failed_) return false;  // one of them has done it
  constexpr int most = 64;    // then results are delivered and workers fed before more is read
  int from = 0;
  int n = 0;
  for (frame f; n < most && link_->receive(from, f); f = {}) {
    ++n;
    accept(from, f, out);
  }
  return n > 0;
}

void pool::accept(int from, const frame& f, effects& out) {
  const worker_index worker{from};
  const auto place = static_cast<std::size_t>(from);
  const auto now = std::chrono::steady_clock::now();
  frame_reader in(f);
  for (record r; in.next(r);) {
    if (const auto* result = std::get_if<result_record>(&r)) {
      auto finished = scheduler_.on_result(worker, result->id, std::chrono::nanoseconds(result->nanoseconds),
                                           result->payload.size() + total_size(result->beside), now, out);
      if (!finished) continue;  // of a task that was given up
      tasks_finished_.store(tasks_finished_.load(std::memory_order_relaxed) + finished->count, std::memory_order_relaxed);
      outcome o;
      o.what = result->threw ? outcome::kind::threw : outcome::kind::value;
      if (result->bulk != nullptr) {
        o.bytes = std::move(held_in<byte_buffer>(*result->bulk));  // nobody else reads this message
      } else {
        o.bytes.append(result->payload.data(), result->payload.size());
      }
      o.beside.assign(result->beside.begin(), result->beside.end());
      o.where = &places_[place];
      o.taken = std::chrono::nanoseconds(result->nanoseconds);
      complete(std::move(finished->work), finished->first, finished->count, std::move(o));
    } else if (const auto* recalled = std::get_if<recalled_record>(&r)) {
      scheduler_.on_recalled(worker, recalled->ids, now, out);
    } else if (const auto* failed = std::get_if<open_failed_record>(&r)) {
      byte_reader bytes(failed->payload.data(), failed->payload.size());
      const auto why = decode_exception(
          bytes, {.rank = places_[place].rank, .host = places_[place].host, .task = 0, .type_name = {}, .trace = {}});
      const auto broken =
          std::make_exception_ptr(broken_pool("the initializer failed on rank " + std::to_string(places_[place].rank) + " (" +
                                              places_[place].host + "): " + describe(why)));
      if (const auto entry = executors_.find(failed->executor); entry != executors_.end()) {
        if (const auto core = entry->second.core.lock()) core->on_broken(broken);
      }
      scheduler_.on_broken(failed->executor, worker, broken, out);
    } else if (const auto* here = std::get_if<shared_here_record>(&r)) {
      tell_node_of(from, *here);
    } else if (const auto* used = std::get_if<usage_record>(&r)) {
      const std::uint64_t before = std::exchange(cpu_nanoseconds_[place], used->nanoseconds);
      all_cpu_nanoseconds_.fetch_add(used->nanoseconds - before, std::memory_order_relaxed);
    } else if (std::holds_alternative<stopped_record>(r)) {
      if (!ended_) throw message_error("rank " + std::to_string(places_[place].rank) + " has stopped and was not asked to");
      if (++workers_stopped_ == workers_.size()) {
        all_stopped_ = true;
        notify();
      }
    } else {
      throw message_error(std::string("a '") + name_of(r) + "' message came from rank " + std::to_string(places_[place].rank) +
                          ", which only a worker expects");
    }
  }
}

// Few bytes go to every worker. Many lie in memory that the ranks of this node map; the first worker of every other node
// gets them by a broadcast and says where they are.
void pool::share(const sharing& s, int descriptor) {
  if (s.data == nullptr) {
    for (std::size_t w = 0; w < workers_.size(); ++w) outbox(w).unshare(s.id);
    return;
  }
  const std::span<const std::byte> bytes = s.data->bytes();
  const bool mapped = descriptor >= 0;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    if (!mapped) {
      outbox(w).share(s.id, bytes.size(), 0, -1, bytes);
    } else if (node_of(w) == 0) {
      outbox(w).share(s.id, bytes.size(), static_cast<std::int32_t>(getpid()), descriptor, {});
    }
  }
  if (!mapped || leaders_.empty()) return;
  for (const std::size_t leader : leaders_) outbox(leader).broadcast(s.id, bytes.size());
  link_->broadcast({const_cast<std::byte*>(bytes.data()), bytes.size()}, [kept = s.data] {});  // rank 0 only sends
}

void pool::tell_node_of(int leader, const shared_here_record& here) {
  const auto l = static_cast<std::size_t>(leader);
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    if (w != l && node_of(w) == node_of(l)) outbox(w).share(here.id, here.size, workers_[l].pid, here.descriptor, {});
  }
}

frame_writer& pool::outbox(std::size_t worker) {
  frame_writer& out = outboxes_[worker];
  if (out.empty() && (unsent_.empty() || unsent_.back() != worker)) unsent_.push_back(worker);
  return out;
}

void pool::send_orders(effects& out) {
  for (const auto& order : out.open) {
    const initializer_call& call = executors_.at(order.executor).initializer;
    outbox(static_cast<std::size_t>(order.to.value))
        .open(order.executor, call.function == nullptr ? code_address{} : locate_function(call.function), call.payload);
  }
  for (const auto& order : out.send) {
    frame_writer& to = outbox(static_cast<std::size_t>(order.to.value));
    if (!to.empty() && to.head_bytes() + order.payload.size() > transport::prompt_bytes) link_->send(order.to.value, to.take());
    if (order.function != last_function_.first) last_function_ = {order.function, locate_function(order.function)};
    to.task(order.id, order.executor, last_function_.second, order.payload, order.bulk, order.beside);
  }
  for (const auto& order : out.recalls) outbox(static_cast<std::size_t>(order.to.value)).recall();
  if (!ended_) {  // else it has said stop
    for (const auto& order : out.close) outbox(static_cast<std::size_t>(order.to.value)).close(order.executor);
  }
  for (const std::size_t w : unsent_) {
    if (!outboxes_[w].empty()) link_->send(static_cast<int>(w), outboxes_[w].take());
  }
  unsent_.clear();
  workers_idle_.store(scheduler_.any_idle(), std::memory_order_relaxed);
  if (halted_ && !quiet_ && !scheduler_.busy()) {
    quiet_ = true;
    notify();
  }
}

}  // namespace rankpool::detail

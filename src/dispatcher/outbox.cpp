#include "dispatcher/outbox.hpp"

#include "wire/block_description.hpp"

#include <unistd.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace rankpool::detail {
namespace {

// Returns the blocks, the large ones as remote blocks.
blocks in_place_if_large(blocks_view all) {
  blocks sent(all.begin(), all.end());
  for (auto& b : sent) {
    if (b->size() >= remote_bytes) b = std::make_shared<remote_block>(describe_in_place(*b));
  }
  return sent;
}

constexpr std::size_t part_bytes = std::size_t{4} << 20;  // of a shared value in one frame

// A part of a shared value, which only this process has.
class part_of_shared final : public block {
 public:
  part_of_shared(std::shared_ptr<const shared_data> data, std::span<const std::byte> part) : data_(std::move(data)), part_(part) {}
  std::span<std::byte> bytes() override { return {const_cast<std::byte*>(part_.data()), part_.size()}; }  // it is only sent
  maker make() const override { return &held<byte_buffer>::fresh; }

 private:
  const std::shared_ptr<const shared_data> data_;
  const std::span<const std::byte> part_;
};

}  // namespace

outbox::outbox(transport& link, dispatch_observer& observer, const std::vector<worker_info>& workers, std::vector<int> nodes)
    : link_(link),
      observer_(observer),
      workers_(workers),
      nodes_(std::move(nodes)),
      frame_bytes_(link.preferred_frame_bytes()),
      node_leaders_(nodes_),
      frames_(workers.size()) {}

frame_writer& outbox::to(std::size_t worker) {
  frame_writer& out = frames_[worker];
  if (out.empty() && (unsent_.empty() || unsent_.back() != worker)) unsent_.push_back(worker);
  return out;
}

void outbox::open(worker_index w, executor_id executor, const initializer_call& initializer,
                  const std::shared_ptr<block>& large_payload, const runner_settings& runners) {
  to(w).open(executor, initializer.function, initializer.payload, large_payload, runners);
}

void outbox::send_frame(std::size_t worker) {
  frame f = frames_[worker].take();
  const std::size_t bytes = f.head.size() + total_size(f.bulk);
  ++sent_.messages;
  sent_.bytes += bytes;
  observer_.on_message_sent({static_cast<int>(worker)}, bytes);
  link_.send(static_cast<int>(worker), std::move(f));
}

void outbox::send(const effects::send_task& order, bool is_isolated) {
  frame_writer& out = to(order.to);
  const chunk& part = *order.part;
  if (!out.empty() && out.head_bytes() + part.payload.size() > frame_bytes_) send_frame(static_cast<std::size_t>(order.to.value));
  std::shared_ptr<block> bulk;
  if (part.payload.size() >= bulk_bytes) bulk = part.kept;
  blocks in_place;
  if (is_isolated && link_.reads_memory_of(order.to.value)) in_place = in_place_if_large(part.out_of_band);
  out.task(order.id, order.executor, order.work->function, part.payload, bulk, in_place.empty() ? part.out_of_band : in_place,
           order.work->limits());
}

void outbox::recall(worker_index from) { to(from).recall(); }

void outbox::abort(worker_index at, chunk_id id) { to(at).abort(id); }

void outbox::end_process(worker_index at, executor_id executor, int signal) { to(at).end_process(executor, signal); }

void outbox::close(worker_index w, executor_id executor) { to(w).close(executor); }

void outbox::share(const std::shared_ptr<const shared_data>& data, int descriptor) {
  const std::span<const std::byte> bytes = data->bytes();
  const bool is_mapped = descriptor >= 0;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    if (!is_mapped) {
      to(w).share(data->id(), bytes.size(), 0, -1, bytes);
    } else if (node_of(w) == 0) {
      to(w).share(data->id(), bytes.size(), static_cast<std::int32_t>(getpid()), descriptor, {});
    }
  }
  if (!is_mapped) return;
  const std::vector<std::size_t> leaders = node_leaders_.add(data);
  if (leaders.empty()) return;
  if (!link_.has_broadcasts()) {
    for (const std::size_t leader : leaders) send_copy(leader, data);
    return;
  }
  for (const std::size_t leader : leaders) to(leader).broadcast(data->id(), bytes.size());
  link_.broadcast({const_cast<std::byte*>(bytes.data()), bytes.size()}, [kept = data] {});  // rank 0 only sends
}

void outbox::forward(worker_index leader, const shared_here_record& here) {
  const auto l = static_cast<std::size_t>(leader.value);
  for (const std::size_t w : node_leaders_.others_of_node(here.id, l)) {
    to(w).share(here.id, here.size, workers_[l].pid, here.descriptor, {});
  }
}

void outbox::forward(worker_index leader, const unavailable_record& missing) {
  const std::string_view reason(reinterpret_cast<const char*>(missing.reason.data()), missing.reason.size());
  for (const std::size_t w : node_leaders_.others_of_node(missing.id, static_cast<std::size_t>(leader.value))) {
    to(w).unavailable(missing.id, reason);
  }
}

// Sends the parts as frames of their own, so that the receiver needs memory for one part beside the value.
void outbox::send_copy(std::size_t leader, const std::shared_ptr<const shared_data>& data) {
  const std::span<const std::byte> bytes = data->bytes();
  for (std::size_t at = 0; at < bytes.size(); at += part_bytes) {
    const auto part = bytes.subspan(at, std::min(part_bytes, bytes.size() - at));
    to(leader).copy(data->id(), bytes.size(), at, std::make_shared<part_of_shared>(data, part));
    send_frame(leader);
  }
}

void outbox::on_lost(worker_index w) {
  for (const auto& [data, leader] : node_leaders_.on_lost(static_cast<std::size_t>(w.value))) send_copy(leader, data);
}

void outbox::unshare(std::uint64_t id) {
  node_leaders_.remove(id);
  for (std::size_t w = 0; w < workers_.size(); ++w) to(w).unshare(id);
}

void outbox::stop(int status, bool ends_processes, bool workers_were_lost) {
  for (std::size_t w = 0; w < workers_.size(); ++w) to(w).stop(status, ends_processes, workers_were_lost);
}

void outbox::flush() {
  for (const std::size_t w : unsent_) {
    if (!frames_[w].empty()) send_frame(w);
  }
  unsent_.clear();
}

}  // namespace rankpool::detail

// Messages from rank 0 to its workers: orders become records, and the records for one worker one frame.
#pragma once

#include "dispatcher/node_leaders.hpp"
#include "dispatcher/observer.hpp"
#include "scheduler/scheduler.hpp"
#include "transport/transport.hpp"
#include "wire/frame.hpp"

#include <rankpool/cluster.hpp>
#include <rankpool/detail/dispatcher/executor_listener.hpp>
#include <rankpool/detail/shared/shared_data.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace rankpool::detail {

/// Nothing leaves before flush(), but for frames that are full. Thread safety: the driving thread alone.
class outbox {
 public:
  /// `observer`: told of the messages. `nodes`: of each worker; 0, rank 0's, where it is empty. `link`, `observer` and `workers`
  /// must outlive the outbox.
  outbox(transport& link, dispatch_observer& observer, const std::vector<worker_info>& workers, std::vector<int> nodes);

  /// `large_payload` takes the place of the initializer's payload; null if that is small.
  void open(worker_index to, executor_id executor, const initializer_call& initializer, const std::shared_ptr<block>& large_payload,
            const runner_settings& runners);
  /// `is_isolated`: the task runs in a runner process, which can read large blocks from this process.
  void send(const effects::send_task& order, bool is_isolated);
  void recall(worker_index from);
  void abort(worker_index at, chunk_id id);
  void end_process(worker_index at, executor_id executor, int signal);
  void close(worker_index to, executor_id executor);

  /// Sends shared data to every node. Few bytes go to every worker. Many are in memory that the ranks of rank 0's node map
  /// (`descriptor` is not -1); one worker of every other node receives them, by a broadcast if the transport has that.
  void share(const std::shared_ptr<const shared_data>& data, int descriptor);
  /// A node's worker has the data: tells the others of its node where it is.
  void forward(worker_index leader, const shared_here_record& here);
  /// A node's worker has no memory for the data: tells the others of its node why.
  void forward(worker_index leader, const unavailable_record& missing);
  void unshare(std::uint64_t id);
  /// A worker was lost. Sends the shared data that it had for its node to another worker of the node.
  void on_lost(worker_index w);

  /// Every worker ends, with this exit status for its process. `workers_were_lost`: then they make no collective call.
  void stop(int status, bool ends_processes, bool workers_were_lost);

  void flush();

  /// Returns what was sent so far.
  const traffic& sent() const { return sent_; }

 private:
  frame_writer& to(worker_index w) { return to(static_cast<std::size_t>(w.value)); }
  frame_writer& to(std::size_t worker);
  int node_of(std::size_t worker) const { return nodes_.empty() ? 0 : nodes_[worker]; }
  void send_frame(std::size_t worker);
  void send_copy(std::size_t leader, const std::shared_ptr<const shared_data>& data);

  transport& link_;
  dispatch_observer& observer_;
  const std::vector<worker_info>& workers_;
  const std::vector<int> nodes_;
  const std::size_t frame_bytes_;  // a frame that has as much is sent
  node_leaders node_leaders_;
  std::vector<frame_writer> frames_;  // of each worker
  std::vector<std::size_t> unsent_;   // workers whose frame has records
  traffic sent_;
};

}  // namespace rankpool::detail

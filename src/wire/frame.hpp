// A frame: a message between rank 0 and a worker. It is a sequence of records, all that were pending for the receiver.
//
// Tasks of one function with consecutive numbers are sent as a batch with common fields, and so are consecutive results. The writer
// and the reader handle them one by one. A small payload is part of the frame. A large one is an out-of-band buffer, which is never
// copied into the frame. The reader rejects a frame that is too short, too long, of another version or with an unknown record. It
// throws message_error, because this is always a fault: all ranks run the same build.
#pragma once

#include "wire/block_description.hpp"

#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/detail/wire/runner_settings.hpp>
#include <rankpool/detail/wire/task_limits.hpp>
#include <rankpool/errors.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rankpool::detail {

class message_error : public error {
 public:
  using error::error;
};

struct frame {
  byte_buffer head;
  blocks bulk;
  bool urgent = true;  ///< whether it ends the receiver's doze; not sent
};

// ---- records; payloads point into the frame that they were read from

using bytes_view = std::span<const std::byte>;

/// To a worker: a new executor, with the initializer to call before its first task.
struct open_record {
  std::uint32_t executor = 0;
  code_address function;  ///< module 0: no initializer
  bytes_view payload;
  std::shared_ptr<block> bulk;  ///< the buffer of the payload, if that is not in the frame
  runner_settings runners = {};
};
/// To a worker: a task to run.
struct task_record {
  std::uint64_t id = 0;
  std::uint32_t executor = 0;
  code_address function;
  bytes_view payload;
  blocks_view out_of_band;
  task_limits limits = {};
};
/// To a worker: a shared value. A short one is the payload. A long one is in the memory of a process of the worker's node.
struct share_record {
  std::uint64_t id = 0;
  std::uint64_t size = 0;
  std::int32_t pid = 0;  ///< 0: the payload is the value
  std::int32_t descriptor = -1;
  bytes_view payload;
};
/// To the first worker of each node except rank 0's: allocate memory for a shared value, and take part in its broadcast.
struct broadcast_record {
  std::uint64_t id = 0;
  std::uint64_t size = 0;
};
/// To one worker of a node: a part of a shared value, to keep in memory that the workers of the node can map.
struct copy_record {
  std::uint64_t id = 0;
  std::uint64_t size = 0;    ///< of the value, in bytes
  std::uint64_t offset = 0;  ///< of the part, in bytes; parts arrive in order
  bytes_view part;
};
/// To a worker: release a shared value.
struct unshare_record {
  std::uint64_t id = 0;
};
/// To a worker: an executor is closed and has no more tasks.
struct close_record {
  std::uint32_t executor = 0;
};
/// To a worker: return the tasks that have not started.
struct recall_record {};
/// To a worker: cancel an isolated task, which may be running.
struct abort_record {
  std::uint64_t id = 0;
};
/// To a worker: send a signal to the process of an executor's isolated tasks.
struct end_process_record {
  std::uint32_t executor = 0;
  std::int32_t signal = 0;
};
/// To a worker: end, with this exit status.
struct stop_record {
  std::int32_t status = 0;
  bool ends_process = false;     ///< at once, by exit(), even if a task is running
  bool ranks_were_lost = false;  ///< so no collective call must follow
};
/// From a worker: the outcome of a task.
struct result_record {
  std::uint64_t id = 0;
  bool threw = false;
  std::uint64_t nanoseconds = 0;
  bytes_view payload;
  std::shared_ptr<block> bulk;  ///< the buffer of the payload, if that is not in the frame; can be moved out
  blocks_view out_of_band;
};
/// From a worker: the initializer of an executor threw, and the executor's tasks will not run on this worker.
struct open_failed_record {
  std::uint32_t executor = 0;
  bytes_view payload;
};
/// From a worker: recalled tasks that have not started and that the worker no longer holds.
struct recalled_record {
  std::vector<std::uint64_t> ids;
  bool answers_request = true;  ///< of a recall; false: the worker returns them without one
};
/// From a worker: it has received a broadcast shared value, which the workers of its node can map from its memory.
struct shared_here_record {
  std::uint64_t id = 0;
  std::uint64_t size = 0;
  std::int32_t descriptor = -1;
};
/// From a worker: its node has no memory for a shared value. To the other workers of that node: the same.
struct unavailable_record {
  std::uint64_t id = 0;
  bytes_view reason;  ///< text
};
/// From a worker: the CPU time that its process has used so far.
struct usage_record {
  std::uint64_t nanoseconds = 0;
};
/// From a worker: the task that it is running, which takes long.
struct started_record {
  std::uint64_t id = 0;
};
/// From a worker of a traced run: when the task whose result follows has ended.
struct ended_record {
  std::int64_t nanoseconds = 0;  ///< on the steady clock of the worker's node
};
/// From a worker: its last message.
struct stopped_record {};

using record =
    std::variant<open_record, task_record, close_record, recall_record, stop_record, result_record, open_failed_record,
                 recalled_record, stopped_record, share_record, broadcast_record, unshare_record, shared_here_record, usage_record,
                 unavailable_record, started_record, abort_record, end_process_record, copy_record, ended_record>;

/// Returns the name of a record for error messages, such as "task" or "result".
const char* name_of(const record& r);

// A transport may send the blocks after the head. The end of the head then describes the blocks, so that the receiver can allocate
// memory before they arrive.

/// Appends the descriptions of a frame's blocks to its head.
void append_descriptions(frame& f);
/// Removes the descriptions from the end of a received head, and returns them. Throws: message_error.
std::vector<block_description> take_descriptions(byte_buffer& head);

/// Writes records into a frame.
class frame_writer {
 public:
  frame_writer();

  /// `bulk`: the payload's buffer, which is sent out of band. Null: the frame copies `payload`.
  void open(std::uint32_t executor, code_address function, bytes_view payload, const std::shared_ptr<block>& bulk = nullptr,
            const runner_settings& runners = {});
  /// `bulk`: as in open().
  void task(std::uint64_t id, std::uint32_t executor, code_address function, bytes_view payload, const std::shared_ptr<block>& bulk,
            blocks_view out_of_band = {}, const task_limits& limits = {});
  void close(std::uint32_t executor);
  void recall();
  void abort(std::uint64_t id);
  void end_process(std::uint32_t executor, std::int32_t signal);
  void stop(std::int32_t status, bool ends_process = false, bool ranks_were_lost = false);
  void result(std::uint64_t id, bool threw, std::uint64_t nanoseconds, byte_buffer&& payload, blocks_view out_of_band = {});
  void open_failed(std::uint32_t executor, byte_buffer payload);
  void recalled(const std::vector<std::uint64_t>& ids, bool answers_request = true);
  void usage(std::uint64_t nanoseconds);
  void started(std::uint64_t id);
  void ended(std::int64_t nanoseconds);
  void stopped();
  void share(std::uint64_t id, std::uint64_t size, std::int32_t pid, std::int32_t descriptor, bytes_view payload);
  void broadcast(std::uint64_t id, std::uint64_t size);
  /// `part`: the block that has the data of the part.
  void copy(std::uint64_t id, std::uint64_t size, std::uint64_t offset, const std::shared_ptr<block>& part);
  void unshare(std::uint64_t id);
  void shared_here(std::uint64_t id, std::uint64_t size, std::int32_t descriptor);
  void unavailable(std::uint64_t id, std::string_view reason);

  /// Returns whether no record was written since the last take().
  bool empty() const { return records_ == 0; }
  std::size_t head_bytes() const { return frame_.head.size(); }
  std::size_t size_bytes() const { return frame_.head.size() + bulk_size_; }
  /// Completes and returns the frame. The writer is empty afterwards.
  frame take();

 private:
  // The batch of the last record, if that is a task or a result.
  struct batch {
    std::size_t kind = 0;
    std::size_t count_at = 0;  // offset of `count` in the frame
    std::uint32_t count = 0;
    std::uint64_t next_id = 0;
    std::uint32_t executor = 0;
    code_address function;
    task_limits limits;
  };

  byte_writer begin(std::size_t kind);
  bool extend_batch(byte_writer& out, std::size_t kind, std::uint64_t id);
  void begin_batch(byte_writer& out, std::size_t kind, std::uint64_t id);
  void payload(byte_writer& out, bytes_view bytes, const std::shared_ptr<block>& bulk, blocks_view out_of_band = {},
               std::uint64_t flags = 0);
  void payload(byte_writer& out, byte_buffer&& bytes, blocks_view out_of_band = {}, std::uint64_t flags = 0);
  static void small_payload(byte_writer& out, bytes_view bytes, std::uint64_t flags);
  void attach(const std::shared_ptr<block>& b);
  void start();

  frame frame_;
  batch batch_;
  std::uint32_t records_ = 0;  // a batch counts as one
  std::size_t bulk_size_ = 0;
  std::size_t usual_size_ = 0;
};

/// Reads the records of a frame.
class frame_reader {
 public:
  /// Throws: message_error if `f` is not a frame of this version. Lifetime: the frame must outlive the records.
  explicit frame_reader(const frame& f);
  /// Reads the next record. Returns false at the end. Throws: message_error.
  bool next(record& r);

 private:
  void read(record& r);
  void begin_batch(bool tasks);
  struct body {
    bytes_view payload;
    const std::shared_ptr<block>* bulk = nullptr;  // the owner of the payload, if that is not in the frame
    blocks_view out_of_band;
    bool is_exception = false;
  };
  body payload();

  const frame& frame_;
  byte_reader in_;
  std::uint32_t left_ = 0;  // records to read; a batch counts as one
  // The current batch: its common fields, and the number of tasks or results that are left.
  std::uint32_t batch_left_ = 0;
  bool batch_of_tasks_ = false;
  std::uint64_t next_id_ = 0;
  std::uint32_t executor_ = 0;
  code_address function_;
  task_limits limits_;
  std::size_t bulk_at_ = 0;
};

}  // namespace rankpool::detail

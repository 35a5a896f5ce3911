// A message between rank 0 and a worker: a sequence of records, everything that was pending for the receiver.
//
// Tasks of one kind with consecutive numbers share a head, and so do results: what is written and read one by one
// travels as runs. Small payloads lie in the frame itself; large ones are buffers of their own that go along, never copied into
// it. A frame that is short, too long, of another version or names an unknown record is refused as a whole with
// message_error: ranks run the same build, so it can only be a fault.
#pragma once

#include <rankpool/detail/bytes.hpp>
#include <rankpool/detail/code_address.hpp>
#include <rankpool/detail/job.hpp>
#include <rankpool/errors.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
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
  bool urgent = true;  ///< whether it ends a receiver's doze; does not travel
};

// ---- records; payloads point into the frame they were read from

using bytes_view = std::span<const std::byte>;

/// To a worker: what to call before the first task of an executor.
struct open_record {
  std::uint32_t executor = 0;
  code_address function;  ///< module 0: nothing to call
  bytes_view payload;
};
/// To a worker: run this.
struct task_record {
  std::uint64_t id = 0;
  std::uint32_t executor = 0;
  code_address function;
  bytes_view payload;
  blocks_view beside;
};
/// To a worker: data for many tasks. The payload, if it is short; else in memory of a process of its node.
struct share_record {
  std::uint64_t id = 0;
  std::uint64_t size = 0;
  std::int32_t pid = 0;  ///< 0: the payload is all
  std::int32_t descriptor = -1;
  bytes_view payload;
};
/// To the first worker of a node other than rank 0's: make room for data and take part in its broadcast.
struct broadcast_record {
  std::uint64_t id = 0;
  std::uint64_t size = 0;
};
/// To a worker: nobody will need that data any more.
struct unshare_record {
  std::uint64_t id = 0;
};
/// To a worker: no more tasks of this executor will come.
struct close_record {
  std::uint32_t executor = 0;
};
/// To a worker: give back what you have not started.
struct recall_record {};
/// To a worker: end, with this exit status.
struct stop_record {
  std::int32_t status = 0;
};
/// From a worker: a task is over.
struct result_record {
  std::uint64_t id = 0;
  bool threw = false;
  std::uint64_t nanoseconds = 0;
  bytes_view payload;
  std::shared_ptr<block> bulk;  ///< what payload points into, if not the frame: may be taken
  blocks_view beside;
};
/// From a worker: the executor's initializer threw; its tasks here will not run.
struct open_failed_record {
  std::uint32_t executor = 0;
  bytes_view payload;
};
/// From a worker: these were not started and will not be.
struct recalled_record {
  std::vector<std::uint64_t> ids;
};
/// From a worker: data that was broadcast is in memory of this node.
struct shared_here_record {
  std::uint64_t id = 0;
  std::uint64_t size = 0;
  std::int32_t descriptor = -1;
};
/// From a worker: CPU time that its process has used so far.
struct usage_record {
  std::uint64_t nanoseconds = 0;
};
/// From a worker: the last message, everything is sent.
struct stopped_record {};

using record =
    std::variant<open_record, task_record, close_record, recall_record, stop_record, result_record, open_failed_record,
                 recalled_record, stopped_record, share_record, broadcast_record, unshare_record, shared_here_record, usage_record>;

/// What a record is called in an error message: "task", "result" ...
const char* name_of(const record& r);

// For a transport that sends the blocks after the head: what they are goes at the head's end, so that the receiver can
// make room for them before they come.

struct block_description {
  std::uint64_t bytes = 0;
  code_address maker;
};

void append_descriptions(frame& f);
/// Takes them off the end of a head as it was received. Throws message_error.
std::vector<block_description> take_descriptions(byte_buffer& head);
/// Room for a block of that description. Throws message_error.
std::shared_ptr<block> make_block(const block_description& of);

class frame_writer {
 public:
  frame_writer();

  void open(std::uint32_t executor, code_address function, bytes_view payload);
  /// `bulk` may be null; otherwise it holds the payload.
  void task(std::uint64_t id, std::uint32_t executor, code_address function, bytes_view payload, std::shared_ptr<block> bulk,
            blocks_view beside = {});
  void close(std::uint32_t executor);
  void recall();
  void stop(std::int32_t status);
  void result(std::uint64_t id, bool threw, std::uint64_t nanoseconds, byte_buffer payload, blocks beside = {});
  void open_failed(std::uint32_t executor, bytes_view payload);
  void recalled(const std::vector<std::uint64_t>& ids);
  void usage(std::uint64_t nanoseconds);
  void stopped();
  void share(std::uint64_t id, std::uint64_t size, std::int32_t pid, std::int32_t descriptor, bytes_view payload);
  void broadcast(std::uint64_t id, std::uint64_t size);
  void unshare(std::uint64_t id);
  void shared_here(std::uint64_t id, std::uint64_t size, std::int32_t descriptor);

  bool empty() const { return records_ == 0; }
  std::size_t head_bytes() const { return frame_.head.size(); }
  std::size_t size_bytes() const { return frame_.head.size() + bulk_size_; }
  /// The frame, complete; the writer is empty again.
  frame take();

 private:
  // The run that the last record belongs to, if it is a task or a result.
  struct run {
    std::size_t kind = 0;
    std::size_t count_at = 0;  // where its length stands in the frame
    std::uint32_t count = 0;
    std::uint64_t next_id = 0;
    std::uint32_t executor = 0;
    code_address function;
  };

  byte_writer begin(std::size_t kind);
  bool goes_on(byte_writer& out, std::size_t kind, std::uint64_t id);
  void begin_run(byte_writer& out, std::size_t kind, std::uint64_t id);
  void payload(byte_writer& out, bytes_view bytes, std::shared_ptr<block> bulk, blocks_view beside = {}, std::uint64_t flags = 0);
  void attach(std::shared_ptr<block> b);
  void start();

  frame frame_;
  run run_;
  std::uint32_t records_ = 0;  // a run is one
  std::size_t bulk_size_ = 0;
  std::size_t usual_size_ = 0;
};

class frame_reader {
 public:
  /// Throws message_error if this is no frame of this version. The frame must outlive what next() returns.
  explicit frame_reader(const frame& f);
  /// Reads the next record; false at the end. Throws message_error.
  bool next(record& r);

 private:
  void read(record& r);
  void begin_run(bool tasks);
  struct body {
    bytes_view payload;
    std::shared_ptr<block> bulk;
    blocks_view beside;
    bool is_exception = false;
  };
  body payload();

  const frame& frame_;
  byte_reader in_;
  std::uint32_t left_ = 0;  // records
  // The run that is being read: what its members share, and how many are left.
  std::uint32_t run_left_ = 0;
  bool run_of_tasks_ = false;
  std::uint64_t next_id_ = 0;
  std::uint32_t executor_ = 0;
  code_address function_;
  std::size_t bulk_at_ = 0;
};

}  // namespace rankpool::detail

// Wire form: magic and version, number of records, then for each its kind and fields. Tasks and results come in runs:
// what all have in common, the first one's number, how many they are, then what each has for itself. A payload is its
// length, shifted to make room for flags, and the bytes, unless they are the next bulk buffer.
#include "frame.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::uint32_t magic = 0x32504B52;  // "RKP2"
constexpr std::uint64_t in_bulk = 1;
constexpr std::uint64_t has_beside = 2;    // the number of blocks comes before the bytes
constexpr std::uint64_t is_exception = 4;  // of a result
constexpr int flag_bits = 3;

template <class Record, std::size_t I = 0>
constexpr std::size_t kind_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, record>, Record>) {
    return I;
  } else {
    return kind_of<Record, I + 1>();
  }
}

}  // namespace

const char* name_of(const record& r) {
  static constexpr std::array names{"open",     "task",    "close", "recall",    "stop",    "result",      "open-failed",
                                    "recalled", "stopped", "share", "broadcast", "unshare", "shared-here", "usage"};
  static_assert(names.size() == std::variant_size_v<record>);
  return names[r.index()];
}

void append_descriptions(frame& f) {
  byte_writer out(f.head);
  for (const auto& b : f.bulk) out.put(block_description{b->size(), locate_function(b->make())});
  out.put<std::uint32_t>(static_cast<std::uint32_t>(f.bulk.size()));
}

std::vector<block_description> take_descriptions(byte_buffer& head) {
  std::uint32_t number = 0;
  if (head.size() < sizeof number) throw message_error("a message without its trailer was received");
  const std::size_t end = head.size() - sizeof number;
  std::memcpy(&number, head.data() + end, sizeof number);
  if (number > end / sizeof(block_description)) throw message_error("a message names more large payloads than it can have");
  std::vector<block_description> all(number);
  const std::size_t at = end - number * sizeof(block_description);
  if (number > 0) std::memcpy(all.data(), head.data() + at, number * sizeof(block_description));
  head.resize(at);
  return all;
}

std::shared_ptr<block> make_block(const block_description& of) {
  try {
    return resolve_function<block::maker>(of.maker)(of.bytes);
  } catch (const std::exception& e) {
    throw message_error("a large payload of " + std::to_string(of.bytes) + " bytes cannot be received: " + e.what());
  }
}

frame_writer::frame_writer() { start(); }

void frame_writer::start() {
  frame_ = {};
  frame_.head.reserve(usual_size_);
  byte_writer out(frame_.head);
  out.put(magic);
  out.put<std::uint32_t>(0);
  run_ = {};
  records_ = 0;
  bulk_size_ = 0;
}

frame frame_writer::take() {
  byte_writer(frame_.head).patch<std::uint32_t>(sizeof magic, records_);
  usual_size_ = frame_.head.size();
  frame done = std::move(frame_);
  start();
  return done;
}

byte_writer frame_writer::begin(std::size_t kind) {
  ++records_;
  run_.count = 0;
  byte_writer out(frame_.head);
  out.put(static_cast<std::uint8_t>(kind));
  return out;
}

// Whether the record with this number goes on with the run; it is counted then.
bool frame_writer::goes_on(byte_writer& out, std::size_t kind, std::uint64_t id) {
  if (run_.count == 0 || run_.kind != kind || run_.next_id != id || run_.count == std::numeric_limits<std::uint32_t>::max()) return false;
  ++run_.next_id;
  out.patch(run_.count_at, ++run_.count);
  return true;
}

void frame_writer::begin_run(byte_writer& out, std::size_t kind, std::uint64_t id) {
  out.put(id);
  run_.kind = kind;
  run_.count_at = out.size();
  run_.count = 1;
  run_.next_id = id + 1;
  out.put(run_.count);
}

void frame_writer::payload(byte_writer& out, bytes_view bytes, std::shared_ptr<block> bulk, blocks_view beside, std::uint64_t flags) {
  if (!beside.empty()) flags |= has_beside;
  if (bulk != nullptr) flags |= in_bulk;
  out.put_varint((bulk != nullptr ? bulk->size() : bytes.size()) << flag_bits | flags);
  if (!beside.empty()) out.put_varint(beside.size());
  if (bulk != nullptr) {
    attach(std::move(bulk));
  } else {
    out.raw(bytes.data(), bytes.size());
  }
  for (const auto& b : beside) attach(b);
}

void frame_writer::attach(std::shared_ptr<block> b) {
  bulk_size_ += b->size();
  frame_.bulk.push_back(std::move(b));
}

void frame_writer::open(std::uint32_t executor, code_address function, bytes_view bytes) {
  byte_writer out = begin(kind_of<open_record>());
  out.put(executor);
  out.put(function);
  payload(out, bytes, nullptr);
}

void frame_writer::task(std::uint64_t id, std::uint32_t executor, code_address function, bytes_view bytes,
                        std::shared_ptr<block> bulk, blocks_view beside) {
  constexpr std::size_t kind = kind_of<task_record>();
  byte_writer out(frame_.head);
  if (run_.executor != executor || run_.function != function || !goes_on(out, kind, id)) {
    out = begin(kind);
    out.put(executor);
    out.put(function);
    begin_run(out, kind, id);
    run_.executor = executor;
    run_.function = function;
  }
  payload(out, bytes, std::move(bulk), beside);
}

void frame_writer::close(std::uint32_t executor) {
  byte_writer out = begin(kind_of<close_record>());
  out.put(executor);
}

void frame_writer::recall() { begin(kind_of<recall_record>()); }

void frame_writer::stop(std::int32_t status) {
  byte_writer out = begin(kind_of<stop_record>());
  out.put(status);
}

void frame_writer::result(std::uint64_t id, bool threw, std::uint64_t nanoseconds, byte_buffer bytes, blocks beside) {
  constexpr std::size_t kind = kind_of<result_record>();
  byte_writer out(frame_.head);
  if (!goes_on(out, kind, id)) {
    out = begin(kind);
    begin_run(out, kind, id);
  }
  out.put_varint(nanoseconds);
  const std::uint64_t flags = threw ? is_exception : 0;
  if (bytes.size() >= bulk_bytes) {
    payload(out, {}, std::make_shared<held<byte_buffer>>(std::move(bytes)), beside, flags);
  } else {
    payload(out, bytes, nullptr, beside, flags);
  }
}

void frame_writer::open_failed(std::uint32_t executor, bytes_view bytes) {
  byte_writer out = begin(kind_of<open_failed_record>());
  out.put(executor);
  payload(out, bytes, nullptr);
}

void frame_writer::recalled(const std::vector<std::uint64_t>& ids) {
  byte_writer out = begin(kind_of<recalled_record>());
  out.put<std::uint64_t>(ids.size());
  out.raw(ids.data(), ids.size() * sizeof ids[0]);
}

void frame_writer::usage(std::uint64_t nanoseconds) {
  byte_writer out = begin(kind_of<usage_record>());
  out.put(nanoseconds);
}

void frame_writer::stopped() { begin(kind_of<stopped_record>()); }

void frame_writer::share(std::uint64_t id, std::uint64_t size, std::int32_t pid, std::int32_t descriptor, bytes_view bytes) {
  byte_writer out = begin(kind_of<share_record>());
  out.put(id);
  out.put(size);
  out.put(pid);
  out.put(descriptor);
  payload(out, bytes, nullptr);
}

void frame_writer::broadcast(std::uint64_t id, std::uint64_t size) {
  byte_writer out = begin(kind_of<broadcast_record>());
  out.put(id);
  out.put(size);
}

void frame_writer::unshare(std::uint64_t id) {
  byte_writer out = begin(kind_of<unshare_record>());
  out.put(id);
}

void frame_writer::shared_here(std::uint64_t id, std::uint64_t size, std::int32_t descriptor) {
  byte_writer out = begin(kind_of<shared_here_record>());
  out.put(id);
  out.put(size);
  out.put(descriptor);
}

frame_reader::frame_reader(const frame& f) : frame_(f), in_(f.head) {
  if (in_.remaining() < sizeof magic + sizeof left_) throw message_error("a message too short to be one was received");
  if (in_.get<std::uint32_t>() != magic) throw message_error("a message of another version or program was received");
  left_ = in_.get<std::uint32_t>();
}

frame_reader::body frame_reader::payload() {
  const std::uint64_t word = in_.get_varint();
  const std::uint64_t length = word >> flag_bits;
  const auto take_blocks = [&](std::uint64_t number) {
    if (number > frame_.bulk.size() - bulk_at_) throw message_error("a message lacks one of its large payloads");
    const blocks_view taken = blocks_view(frame_.bulk).subspan(bulk_at_, number);
    bulk_at_ += number;
    return taken;
  };
  body b;
  b.is_exception = (word & is_exception) != 0;
  const std::uint64_t beside = (word & has_beside) != 0 ? in_.get_varint() : 0;
  if ((word & in_bulk) != 0) {
    b.bulk = take_blocks(1).front();
    b.payload = b.bulk->bytes();
    if (b.payload.size() != length) throw message_error("a large payload has another length than its message says");
  } else {
    b.payload = {in_.take(length), length};
  }
  b.beside = take_blocks(beside);
  return b;
}

void frame_reader::begin_run(bool tasks) {
  run_of_tasks_ = tasks;
  if (tasks) {
    executor_ = in_.get<std::uint32_t>();
    function_ = in_.get<code_address>();
  }
  next_id_ = in_.get<std::uint64_t>();
  run_left_ = in_.get<std::uint32_t>();
  if (run_left_ == 0) throw message_error("a run of nothing was received");
}

bool frame_reader::next(record& r) {
  try {
    if (run_left_ == 0) {
      if (left_ == 0) {
        in_.expect_end();
        if (bulk_at_ != frame_.bulk.size()) throw message_error("a message has large payloads that it does not name");
        return false;
      }
      --left_;
    }
    read(r);
    return true;
  } catch (const serialization_error& e) {
    throw message_error(std::string("a damaged message was received: ") + e.what());
  }
}

void frame_reader::read(record& r) {
  if (run_left_ == 0) {
    switch (const auto kind = in_.get<std::uint8_t>(); kind) {
      case kind_of<open_record>(): {
        open_record open;
        open.executor = in_.get<std::uint32_t>();
        open.function = in_.get<code_address>();
        open.payload = payload().payload;
        r = open;
        return;
      }
      case kind_of<task_record>(): begin_run(true); break;
      case kind_of<close_record>(): r = close_record{in_.get<std::uint32_t>()}; return;
      case kind_of<recall_record>(): r = recall_record{}; return;
      case kind_of<stop_record>(): r = stop_record{in_.get<std::int32_t>()}; return;
      case kind_of<result_record>(): begin_run(false); break;
      case kind_of<open_failed_record>(): {
        open_failed_record failed;
        failed.executor = in_.get<std::uint32_t>();
        failed.payload = payload().payload;
        r = failed;
        return;
      }
      case kind_of<recalled_record>(): {
        recalled_record recalled;
        recalled.ids.resize(in_.get_count(sizeof(std::uint64_t)));
        for (auto& id : recalled.ids) id = in_.get<std::uint64_t>();
        r = std::move(recalled);
        return;
      }
      case kind_of<stopped_record>(): r = stopped_record{}; return;
      case kind_of<usage_record>(): r = usage_record{in_.get<std::uint64_t>()}; return;
      case kind_of<share_record>(): {
        share_record share;
        share.id = in_.get<std::uint64_t>();
        share.size = in_.get<std::uint64_t>();
        share.pid = in_.get<std::int32_t>();
        share.descriptor = in_.get<std::int32_t>();
        share.payload = payload().payload;
        if (share.pid == 0 && share.payload.size() != share.size) throw message_error("shared data has another length than its message says");
        r = share;
        return;
      }
      case kind_of<broadcast_record>(): {
        broadcast_record broadcast;
        broadcast.id = in_.get<std::uint64_t>();
        broadcast.size = in_.get<std::uint64_t>();
        r = broadcast;
        return;
      }
      case kind_of<unshare_record>(): r = unshare_record{in_.get<std::uint64_t>()}; return;
      case kind_of<shared_here_record>(): {
        shared_here_record here;
        here.id = in_.get<std::uint64_t>();
        here.size = in_.get<std::uint64_t>();
        here.descriptor = in_.get<std::int32_t>();
        r = here;
        return;
      }
      default: throw message_error("a message with an unknown record (" + std::to_string(kind) + ") was received");
    }
  }
  --run_left_;
  if (run_of_tasks_) {
    const body b = payload();
    r = task_record{next_id_++, executor_, function_, b.payload, b.beside};
  } else {
    result_record result;
    result.id = next_id_++;
    result.nanoseconds = in_.get_varint();
    body b = payload();
    result.threw = b.is_exception;
    result.payload = b.payload;
    result.bulk = std::move(b.bulk);
    result.beside = b.beside;
    r = std::move(result);
  }
}

}  // namespace rankpool::detail

// Defines the wire format of a frame: the magic number and version, the number of records, then the kind and the fields of each.
// Consecutive tasks or results are one record, a batch: their common fields, the number of the first, their count, then the fields
// of each. A payload is its length, shifted to make room for flags, and its bytes, unless they are the next out-of-band buffer.
#include "wire/frame.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::uint32_t magic = 0x32504B52;  // "RKP2"
constexpr std::uint64_t in_bulk = 1;
constexpr std::uint64_t has_out_of_band = 2;  // the number of blocks comes before the bytes
constexpr std::uint64_t is_exception = 4;     // in a result: the payload is an exception
constexpr int flag_bits = 3;

template <class Record, std::size_t I = 0>
constexpr std::size_t kind_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, record>, Record>) {
    return I;
  } else {
    return kind_of<Record, I + 1>();
  }
}

// Returns the record that `r` holds if it is of this type, as in a batch, or else a new one.
template <class Record>
Record& held_as(record& r) {
  auto* const held = std::get_if<Record>(&r);
  return held != nullptr ? *held : r.emplace<Record>();
}

}  // namespace

const char* name_of(const record& r) {
  static constexpr std::array names{"open",        "task",    "close", "recall",      "stop",    "result",      "open-failed",
                                    "recalled",    "stopped", "share", "broadcast",   "unshare", "shared-here", "usage",
                                    "unavailable", "started", "abort", "end-process", "copy",    "ended"};
  static_assert(names.size() == std::variant_size_v<record>);
  return names[r.index()];
}

void append_descriptions(frame& f) {
  byte_writer out(f.head);
  for (const auto& b : f.bulk) out.put(describe(*b));
  out.put<std::uint32_t>(static_cast<std::uint32_t>(f.bulk.size()));
}

std::vector<block_description> take_descriptions(byte_buffer& head) {
  std::uint32_t number = 0;
  if (head.size() < sizeof number) throw message_error("a received message has no trailer");
  const std::size_t end = head.size() - sizeof number;
  std::memcpy(&number, head.data() + end, sizeof number);
  if (number > end / sizeof(block_description)) throw message_error("a received message describes too many out-of-band buffers");
  std::vector<block_description> all(number);
  const std::size_t at = end - number * sizeof(block_description);
  if (number > 0) std::memcpy(all.data(), head.data() + at, number * sizeof(block_description));
  head.resize(at);
  return all;
}

frame_writer::frame_writer() { start(); }

void frame_writer::start() {
  frame_ = {};
  frame_.head.reserve(usual_size_);
  byte_writer out(frame_.head);
  out.put(magic);
  out.put<std::uint32_t>(0);
  batch_ = {};
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
  batch_.count = 0;
  byte_writer out(frame_.head);
  out.put(static_cast<std::uint8_t>(kind));
  return out;
}

// Adds the record with this number to the current batch if it continues that batch. Returns whether it does.
bool frame_writer::extend_batch(byte_writer& out, std::size_t kind, std::uint64_t id) {
  if (batch_.count == 0 || batch_.kind != kind || batch_.next_id != id || batch_.count == std::numeric_limits<std::uint32_t>::max())
    return false;
  ++batch_.next_id;
  out.patch(batch_.count_at, ++batch_.count);
  return true;
}

void frame_writer::begin_batch(byte_writer& out, std::size_t kind, std::uint64_t id) {
  out.put(id);
  batch_.kind = kind;
  batch_.count_at = out.size();
  batch_.count = 1;
  batch_.next_id = id + 1;
  out.put(batch_.count);
}

void frame_writer::payload(byte_writer& out, bytes_view bytes, const std::shared_ptr<block>& bulk, blocks_view out_of_band,
                           std::uint64_t flags) {
  if (bulk == nullptr && out_of_band.empty()) return small_payload(out, bytes, flags);
  if (!out_of_band.empty()) flags |= has_out_of_band;
  if (bulk != nullptr) flags |= in_bulk;
  out.put_varint((bulk != nullptr ? bulk->size() : bytes.size()) << flag_bits | flags);
  if (!out_of_band.empty()) out.put_varint(out_of_band.size());
  if (bulk != nullptr) {
    attach(bulk);
  } else {
    out.raw(bytes.data(), bytes.size());
  }
  for (const auto& b : out_of_band) attach(b);
}

// Writes a payload that the frame can own: a large one is sent out of band.
void frame_writer::payload(byte_writer& out, byte_buffer&& bytes, blocks_view out_of_band, std::uint64_t flags) {
  if (bytes.size() >= bulk_bytes) {
    payload(out, {}, std::make_shared<held<byte_buffer>>(std::move(bytes)), out_of_band, flags);
  } else if (out_of_band.empty()) {
    small_payload(out, bytes, flags);
  } else {
    payload(out, bytes, nullptr, out_of_band, flags);
  }
}

// Most payloads: no block is sent with them.
void frame_writer::small_payload(byte_writer& out, bytes_view bytes, std::uint64_t flags) {
  out.put_varint(bytes.size() << flag_bits | flags);
  out.raw(bytes.data(), bytes.size());
}

void frame_writer::attach(const std::shared_ptr<block>& b) {
  bulk_size_ += b->size();
  frame_.bulk.push_back(b);
}

void frame_writer::open(std::uint32_t executor, code_address function, bytes_view bytes, const std::shared_ptr<block>& bulk,
                        const runner_settings& runners) {
  byte_writer out = begin(kind_of<open_record>());
  out.put(executor);
  out.put(function);
  out.put(runners);
  payload(out, bytes, bulk);
}

void frame_writer::task(std::uint64_t id, std::uint32_t executor, code_address function, bytes_view bytes,
                        const std::shared_ptr<block>& bulk, blocks_view out_of_band, const task_limits& limits) {
  constexpr std::size_t kind = kind_of<task_record>();
  byte_writer out(frame_.head);
  if (batch_.executor != executor || batch_.function != function || batch_.limits != limits || !extend_batch(out, kind, id)) {
    out = begin(kind);
    out.put(executor);
    out.put(function);
    out.put(limits);
    begin_batch(out, kind, id);
    batch_.executor = executor;
    batch_.function = function;
    batch_.limits = limits;
  }
  payload(out, bytes, bulk, out_of_band);
}

void frame_writer::close(std::uint32_t executor) {
  byte_writer out = begin(kind_of<close_record>());
  out.put(executor);
}

void frame_writer::recall() { begin(kind_of<recall_record>()); }

void frame_writer::abort(std::uint64_t id) {
  byte_writer out = begin(kind_of<abort_record>());
  out.put(id);
}

void frame_writer::end_process(std::uint32_t executor, std::int32_t signal) {
  byte_writer out = begin(kind_of<end_process_record>());
  out.put(executor);
  out.put(signal);
}

void frame_writer::stop(std::int32_t status, bool ends_process, bool ranks_were_lost) {
  byte_writer out = begin(kind_of<stop_record>());
  out.put(status);
  out.put(static_cast<std::uint8_t>(ends_process));
  out.put(static_cast<std::uint8_t>(ranks_were_lost));
}

void frame_writer::result(std::uint64_t id, bool threw, std::uint64_t nanoseconds, byte_buffer&& bytes, blocks_view out_of_band) {
  constexpr std::size_t kind = kind_of<result_record>();
  byte_writer out(frame_.head);
  if (!extend_batch(out, kind, id)) {
    out = begin(kind);
    begin_batch(out, kind, id);
  }
  out.put_varint(nanoseconds);
  payload(out, std::move(bytes), out_of_band, threw ? is_exception : 0);
}

void frame_writer::open_failed(std::uint32_t executor, byte_buffer bytes) {
  byte_writer out = begin(kind_of<open_failed_record>());
  out.put(executor);
  payload(out, std::move(bytes));
}

void frame_writer::recalled(const std::vector<std::uint64_t>& ids, bool answers_request) {
  byte_writer out = begin(kind_of<recalled_record>());
  out.put<std::uint8_t>(answers_request ? 1 : 0);
  out.put<std::uint64_t>(ids.size());
  out.raw(ids.data(), ids.size() * sizeof ids[0]);
}

void frame_writer::started(std::uint64_t id) {
  byte_writer out = begin(kind_of<started_record>());
  out.put(id);
}

void frame_writer::usage(std::uint64_t nanoseconds) {
  byte_writer out = begin(kind_of<usage_record>());
  out.put(nanoseconds);
}

void frame_writer::ended(std::int64_t nanoseconds) {
  byte_writer out = begin(kind_of<ended_record>());
  out.put(nanoseconds);
}

void frame_writer::stopped() { (void)begin(kind_of<stopped_record>()); }

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

void frame_writer::copy(std::uint64_t id, std::uint64_t size, std::uint64_t offset, const std::shared_ptr<block>& part) {
  byte_writer out = begin(kind_of<copy_record>());
  out.put(id);
  out.put(size);
  out.put(offset);
  payload(out, {}, part);
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

void frame_writer::unavailable(std::uint64_t id, std::string_view reason) {
  byte_writer out = begin(kind_of<unavailable_record>());
  out.put(id);
  payload(out, std::as_bytes(std::span(reason)), nullptr);
}

frame_reader::frame_reader(const frame& f) : frame_(f), in_(f.head) {
  if (in_.remaining() < sizeof magic + sizeof left_) throw message_error("a received message is too short");
  if (in_.get<std::uint32_t>() != magic) throw message_error("a message of another version or program was received");
  left_ = in_.get<std::uint32_t>();
}

frame_reader::body frame_reader::payload() {
  const std::uint64_t word = in_.get_varint();
  const std::uint64_t length = word >> flag_bits;
  const auto take_blocks = [&](std::uint64_t number) {
    if (number > frame_.bulk.size() - bulk_at_) throw message_error("a received message lacks an out-of-band buffer");
    const blocks_view taken = blocks_view(frame_.bulk).subspan(bulk_at_, number);
    bulk_at_ += number;
    return taken;
  };
  body b;
  b.is_exception = (word & is_exception) != 0;
  if ((word & (in_bulk | has_out_of_band)) == 0) {  // most payloads
    b.payload = {in_.take(length), length};
    return b;
  }
  const std::uint64_t out_of_band = (word & has_out_of_band) != 0 ? in_.get_varint() : 0;
  if ((word & in_bulk) != 0) {
    b.bulk = take_blocks(1).data();
    b.payload = (*b.bulk)->bytes();
    if (b.payload.size() != length) throw message_error("an out-of-band buffer has another length than its message states");
  } else {
    b.payload = {in_.take(length), length};
  }
  b.out_of_band = take_blocks(out_of_band);
  return b;
}

void frame_reader::begin_batch(bool tasks) {
  batch_of_tasks_ = tasks;
  if (tasks) {
    executor_ = in_.get<std::uint32_t>();
    function_ = in_.get<code_address>();
    limits_ = in_.get<task_limits>();
  }
  next_id_ = in_.get<std::uint64_t>();
  batch_left_ = in_.get<std::uint32_t>();
  if (batch_left_ == 0) throw message_error("a received message has an empty batch");
}

bool frame_reader::next(record& r) {
  try {
    if (batch_left_ == 0) {
      if (left_ == 0) {
        in_.expect_end();
        if (bulk_at_ != frame_.bulk.size()) throw message_error("a received message has an out-of-band buffer without a record");
        return false;
      }
      --left_;
    }
    read(r);
    return true;
  } catch (const serialization_error& e) {
    throw message_error(std::string("a received message is damaged: ") + e.what());
  }
}

void frame_reader::read(record& r) {
  if (batch_left_ == 0) {
    switch (const auto kind = in_.get<std::uint8_t>(); kind) {
      case kind_of<open_record>(): {
        open_record open;
        open.executor = in_.get<std::uint32_t>();
        open.function = in_.get<code_address>();
        open.runners = in_.get<runner_settings>();
        const body b = payload();
        open.payload = b.payload;
        if (b.bulk != nullptr) open.bulk = *b.bulk;
        r = std::move(open);
        return;
      }
      case kind_of<task_record>(): begin_batch(true); break;
      case kind_of<close_record>(): r = close_record{in_.get<std::uint32_t>()}; return;
      case kind_of<recall_record>(): r = recall_record{}; return;
      case kind_of<abort_record>(): r = abort_record{in_.get<std::uint64_t>()}; return;
      case kind_of<end_process_record>(): {
        const auto executor = in_.get<std::uint32_t>();
        r = end_process_record{executor, in_.get<std::int32_t>()};
        return;
      }
      case kind_of<stop_record>(): {
        const auto status = in_.get<std::int32_t>();
        const bool ends_process = in_.get<std::uint8_t>() != 0;
        r = stop_record{status, ends_process, in_.get<std::uint8_t>() != 0};
        return;
      }
      case kind_of<result_record>(): begin_batch(false); break;
      case kind_of<open_failed_record>(): {
        open_failed_record failed;
        failed.executor = in_.get<std::uint32_t>();
        failed.payload = payload().payload;
        r = failed;
        return;
      }
      case kind_of<recalled_record>(): {
        recalled_record recalled;
        recalled.answers_request = in_.get<std::uint8_t>() != 0;
        recalled.ids.resize(in_.get_count(sizeof(std::uint64_t)));
        for (auto& id : recalled.ids) id = in_.get<std::uint64_t>();
        r = std::move(recalled);
        return;
      }
      case kind_of<stopped_record>(): r = stopped_record{}; return;
      case kind_of<started_record>(): r = started_record{in_.get<std::uint64_t>()}; return;
      case kind_of<usage_record>(): r = usage_record{in_.get<std::uint64_t>()}; return;
      case kind_of<ended_record>(): r = ended_record{in_.get<std::int64_t>()}; return;
      case kind_of<share_record>(): {
        share_record share;
        share.id = in_.get<std::uint64_t>();
        share.size = in_.get<std::uint64_t>();
        share.pid = in_.get<std::int32_t>();
        share.descriptor = in_.get<std::int32_t>();
        share.payload = payload().payload;
        if (share.pid == 0 && share.payload.size() != share.size)
          throw message_error("a shared value has another length than its message states");
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
      case kind_of<copy_record>(): {
        copy_record copy;
        copy.id = in_.get<std::uint64_t>();
        copy.size = in_.get<std::uint64_t>();
        copy.offset = in_.get<std::uint64_t>();
        copy.part = payload().payload;
        if (copy.offset > copy.size || copy.part.size() > copy.size - copy.offset)
          throw message_error("a part of a shared value does not fit in it");
        r = copy;
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
      case kind_of<unavailable_record>(): {
        const auto id = in_.get<std::uint64_t>();
        r = unavailable_record{id, payload().payload};
        return;
      }
      default: throw message_error("a message with an unknown record (" + std::to_string(kind) + ") was received");
    }
  }
  --batch_left_;
  if (batch_of_tasks_) {
    const body b = payload();
    held_as<task_record>(r) = {next_id_++, executor_, function_, b.payload, b.out_of_band, limits_};
  } else {
    auto& result = held_as<result_record>(r);
    result.id = next_id_++;
    result.nanoseconds = in_.get_varint();
    const body b = payload();
    result.threw = b.is_exception;
    result.payload = b.payload;
    if (b.bulk != nullptr) {
      result.bulk = *b.bulk;
    } else {
      result.bulk = nullptr;
    }
    result.out_of_band = b.out_of_band;
  }
}

}  // namespace rankpool::detail

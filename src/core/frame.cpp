// Wire form: magic and version, number of records, then for each its kind and fields. A payload is its length
// and the bytes; with the top bit of the length set, the bytes are the next bulk buffer instead.
#include "frame.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::uint32_t magic = 0x31504B52;  // "RKP1"
constexpr std::uint64_t in_bulk = std::uint64_t{1} << 63;

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
  static constexpr std::array names{"open", "task", "close", "recall", "stop", "result", "open-failed", "recalled", "stopped"};
  static_assert(names.size() == std::variant_size_v<record>);
  return names[r.index()];
}

void append_bulk_sizes(frame& f) {
  byte_writer out(f.head);
  for (const auto& b : f.bulk) out.put<std::uint64_t>(b->size());
  out.put<std::uint32_t>(static_cast<std::uint32_t>(f.bulk.size()));
}

std::vector<std::uint64_t> take_bulk_sizes(byte_buffer& head) {
  std::uint32_t buffers = 0;
  if (head.size() < sizeof buffers) throw message_error("a message without its trailer was received");
  const std::size_t end = head.size() - sizeof buffers;
  std::memcpy(&buffers, head.data() + end, sizeof buffers);
  if (buffers > end / sizeof(std::uint64_t)) throw message_error("a message names more large payloads than it can have");
  std::vector<std::uint64_t> sizes(buffers);
  const std::size_t at = end - buffers * sizeof(std::uint64_t);
  if (buffers > 0) std::memcpy(sizes.data(), head.data() + at, buffers * sizeof(std::uint64_t));
  head.resize(at);
  return sizes;
}

frame_writer::frame_writer() { start(); }

void frame_writer::start() {
  frame_ = {};
  byte_writer out(frame_.head);
  out.put(magic);
  out.put<std::uint32_t>(0);
  records_ = 0;
  bulk_size_ = 0;
}

frame frame_writer::take() {
  byte_writer(frame_.head).patch<std::uint32_t>(sizeof magic, records_);
  frame done = std::move(frame_);
  start();
  return done;
}

byte_writer frame_writer::begin(std::size_t kind) {
  ++records_;
  byte_writer out(frame_.head);
  out.put(static_cast<std::uint8_t>(kind));
  return out;
}

void frame_writer::payload(byte_writer& out, const byte_buffer& bytes, std::shared_ptr<byte_buffer> bulk) {
  if (bulk != nullptr) {
    out.put<std::uint64_t>(bulk->size() | in_bulk);
    bulk_size_ += bulk->size();
    frame_.bulk.push_back(std::move(bulk));
  } else {
    out.put<std::uint64_t>(bytes.size());
    out.raw(bytes.data(), bytes.size());
  }
}

void frame_writer::open(std::uint32_t executor, code_address function, const byte_buffer& bytes) {
  byte_writer out = begin(kind_of<open_record>());
  out.put(executor);
  out.put(function);
  payload(out, bytes, nullptr);
}

void frame_writer::task(std::uint64_t id, std::uint32_t executor, code_address function, const byte_buffer& bytes,
                        std::shared_ptr<byte_buffer> bulk) {
  byte_writer out = begin(kind_of<task_record>());
  out.put(id);
  out.put(executor);
  out.put(function);
  payload(out, bytes, std::move(bulk));
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

void frame_writer::result(std::uint64_t id, bool threw, std::uint64_t nanoseconds, byte_buffer bytes) {
  byte_writer out = begin(kind_of<result_record>());
  out.put(id);
  out.put<std::uint8_t>(threw);
  out.put(nanoseconds);
  if (bytes.size() >= bulk_bytes) {
    payload(out, {}, std::make_shared<byte_buffer>(std::move(bytes)));
  } else {
    payload(out, bytes, nullptr);
  }
}

void frame_writer::open_failed(std::uint32_t executor, const byte_buffer& bytes) {
  byte_writer out = begin(kind_of<open_failed_record>());
  out.put(executor);
  payload(out, bytes, nullptr);
}

void frame_writer::recalled(const std::vector<std::uint64_t>& ids) {
  byte_writer out = begin(kind_of<recalled_record>());
  out.put<std::uint64_t>(ids.size());
  out.raw(ids.data(), ids.size() * sizeof ids[0]);
}

void frame_writer::stopped() { begin(kind_of<stopped_record>()); }

frame_reader::frame_reader(const frame& f) : frame_(f), in_(f.head) {
  if (in_.remaining() < sizeof magic + sizeof left_) throw message_error("a message too short to be one was received");
  if (in_.get<std::uint32_t>() != magic) throw message_error("a message of another version or program was received");
  left_ = in_.get<std::uint32_t>();
}

bytes_view frame_reader::payload(std::shared_ptr<byte_buffer>* bulk) {
  const auto length = in_.get<std::uint64_t>();
  if ((length & in_bulk) == 0) return {in_.take(length), length};
  if (bulk_at_ == frame_.bulk.size()) throw message_error("a message lacks one of its large payloads");
  if (bulk != nullptr) *bulk = frame_.bulk[bulk_at_];
  const byte_buffer& bytes = *frame_.bulk[bulk_at_++];
  if (bytes.size() != (length & ~in_bulk)) throw message_error("a large payload has another length than its message says");
  return {bytes.data(), bytes.size()};
}

bool frame_reader::next(record& r) {
  try {
    if (left_ == 0) {
      in_.expect_end();
      if (bulk_at_ != frame_.bulk.size()) throw message_error("a message has large payloads that it does not name");
      return false;
    }
    --left_;
    switch (const auto kind = in_.get<std::uint8_t>(); kind) {
      case kind_of<open_record>(): {
        open_record open;
        open.executor = in_.get<std::uint32_t>();
        open.function = in_.get<code_address>();
        open.payload = payload();
        r = open;
        return true;
      }
      case kind_of<task_record>(): {
        task_record task;
        task.id = in_.get<std::uint64_t>();
        task.executor = in_.get<std::uint32_t>();
        task.function = in_.get<code_address>();
        task.payload = payload();
        r = task;
        return true;
      }
      case kind_of<close_record>(): r = close_record{in_.get<std::uint32_t>()}; return true;
      case kind_of<recall_record>(): r = recall_record{}; return true;
      case kind_of<stop_record>(): r = stop_record{in_.get<std::int32_t>()}; return true;
      case kind_of<result_record>(): {
        result_record result;
        result.id = in_.get<std::uint64_t>();
        const auto threw = in_.get<std::uint8_t>();
        if (threw > 1) throw message_error("a result is neither a value nor an exception");
        result.threw = threw == 1;
        result.nanoseconds = in_.get<std::uint64_t>();
        result.payload = payload(&result.bulk);
        r = result;
        return true;
      }
      case kind_of<open_failed_record>(): {
        open_failed_record failed;
        failed.executor = in_.get<std::uint32_t>();
        failed.payload = payload();
        r = failed;
        return true;
      }
      case kind_of<recalled_record>(): {
        recalled_record recalled;
        recalled.ids.resize(in_.get_count(sizeof(std::uint64_t)));
        for (auto& id : recalled.ids) id = in_.get<std::uint64_t>();
        r = std::move(recalled);
        return true;
      }
      case kind_of<stopped_record>(): r = stopped_record{}; return true;
      default: throw message_error("a message with an unknown record (" + std::to_string(kind) + ") was received");
    }
  } catch (const serialization_error& e) {
    throw message_error(std::string("a damaged message was received: ") + e.what());
  }
}

}  // namespace rankpool::detail

// Defines the records of the log: a record_head, then the bytes.
#include "runner/answer_log.hpp"

#include "codec/runner_errors.hpp"
#include "wire/block_description.hpp"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

namespace rankpool::detail {
namespace {

enum class record_kind : std::uint32_t {
  results,          // of items of a chunk, completes their outcomes; `number`: the first item without an outcome
  failures,         // of items of a chunk; `number` of them
  block,            // a block_description, and the data unless that is in the runner
  end,              // a call returned; the bytes are its result; `number`: execution time in nanoseconds
  end_thrown,       // a call threw; the bytes are the exception; `number`: as above
  end_chunk,        // a chunk whose items have outcomes of their own is complete; `number`: as above
  not_initialized,  // the initializer threw; the bytes are the exception
};

struct record_head {
  record_kind kind{};
  std::uint64_t size = 0;
  std::uint64_t number = 0;
};

// Appends a record. Its content may have two parts.
void append(runner_control& control, growing_memory& log, record_kind kind, std::uint64_t number,
            std::span<const std::byte> first = {}, std::span<const std::byte> second = {}) {
  const std::size_t at = control.answered_bytes.load(std::memory_order_relaxed);
  const record_head head{kind, first.size() + second.size(), number};
  std::byte* out = log.allocate(at + sizeof head + head.size) + at;
  std::memcpy(out, &head, sizeof head);
  out += sizeof head;
  if (!first.empty()) std::memcpy(out, first.data(), first.size());
  if (!second.empty()) std::memcpy(out + first.size(), second.data(), second.size());
  control.answered_bytes.store(at + sizeof head + head.size, std::memory_order_release);
}

}  // namespace

// ---- the runner's end

answer_writer::answer_writer(runner_control& control, growing_memory& log, std::function<void()> retire)
    : control_(control), log_(log), retire_(std::move(retire)) {}

void answer_writer::begin_call(std::uint32_t index, std::uint64_t first_item, bool is_timed) {
  index_ = index;
  first_item_ = first_item;
  is_timed_ = is_timed;
  has_items_ = false;
  control_.item_runs = false;
  ++started_;
  mark_begin(is_timed && first_item == 0);  // of a chunk that is continued, only the items count
}

void answer_writer::mark_begin(bool is_timed) {
  control_.began.store(is_timed ? std::chrono::steady_clock::now().time_since_epoch().count() : 0);
  while (control_.is_doomed) std::this_thread::sleep_for(std::chrono::microseconds(100));
}

void answer_writer::append_block(const std::shared_ptr<block>& b, bool by_address) {
  const block_description about = by_address ? describe_in_place(*b) : describe(*b);
  const std::span<const std::byte> data = by_address ? std::span<const std::byte>() : b->bytes();
  append(control_, log_, record_kind::block, 0, std::as_bytes(std::span(&about, 1)), data);
  if (by_address) held_.push_back(b);
}

void answer_writer::end_call(const task_runner::answer& a, std::chrono::nanoseconds taken) {
  control_.began.store(0);
  control_.answered_calls.fetch_add(1);
  const bool is_chunk = control_.item_call == index_ + 1;  // its results are in the log
  const auto nanoseconds = static_cast<std::uint64_t>(taken.count());
  if (a.threw) return append(control_, log_, record_kind::end_thrown, nanoseconds, a.bytes);
  for (const auto& b : a.out_of_band) append_block(b, control_.blocks_by_address != 0);
  append(control_, log_, is_chunk ? record_kind::end_chunk : record_kind::end, nanoseconds, a.bytes);
}

void answer_writer::end_initializer(const task_runner::answer& a) {
  if (a.threw) return append(control_, log_, record_kind::not_initialized, 0, a.bytes);
  control_.is_initialized.store(true);
}

std::uint64_t answer_writer::first_item() {
  control_.item_call.store(index_ + 1, std::memory_order_release);
  control_.began.store(0);  // from now on, the time limit is that of each item
  return first_item_;
}

void answer_writer::on_item() {
  original_.check();
  if (!std::exchange(has_items_, true)) --started_;  // its items are counted in place of the chunk
  const std::uint32_t max_tasks = control_.settings.max_tasks;
  if (max_tasks > 0 && started_ >= max_tasks && control_.item_call == index_ + 1) retire_();
  ++started_;
  control_.item_runs = true;
  mark_begin(is_timed_);
}

void answer_writer::keep(std::span<const std::byte> results, blocks_view out_of_band, std::span<const std::byte> failures,
                         std::uint64_t failed, std::uint64_t next_item) {
  original_.check();
  control_.began.store(0);
  control_.item_runs = false;
  if (failed > 0) append(control_, log_, record_kind::failures, failed, failures);
  for (const auto& b : out_of_band) append_block(b, false);  // a copy, which outlives this process
  append(control_, log_, record_kind::results, next_item, results);
}

// ---- the rank's end

void answer_reader::clear() {
  control_.answered_bytes.store(0, std::memory_order_relaxed);
  read_ = 0;
  drop();
}

void answer_reader::drop() {
  results_.clear();
  failures_.clear();
  failed_ = 0;
  out_of_band_.clear();
  items_ = {};
}

void answer_reader::end_item(std::uint64_t next) { items_ = {next, failures_.size(), failed_, out_of_band_.size()}; }

void answer_reader::drop_item() {
  failures_.resize(items_.failure_bytes);
  failed_ = items_.failed;
  out_of_band_.resize(items_.blocks);
}

std::optional<task_runner::answer> answer_reader::next() {
  const std::size_t end = control_.answered_bytes.load(std::memory_order_acquire);
  if (read_ == end) return std::nullopt;
  const std::byte* const log = log_.map(end);
  while (read_ < end) {
    byte_reader in(log + read_, end - read_);
    const auto head = in.get<record_head>();
    const std::byte* const content = in.take(head.size);
    read_ += sizeof head + head.size;
    switch (head.kind) {
      case record_kind::results:
        results_.append(content, head.size);
        end_item(head.number);
        break;
      case record_kind::failures:
        failures_.append(content, head.size);
        failed_ += head.number;
        break;
      case record_kind::block: {
        byte_reader part(content, head.size);
        out_of_band_.push_back(read_block(part));
        break;
      }
      case record_kind::not_initialized: {
        initializer_failure failure;
        failure.exception.append(content, head.size);
        throw failure;
      }
      case record_kind::end:
      case record_kind::end_thrown:
      case record_kind::end_chunk: {
        task_runner::answer a;
        a.threw = head.kind == record_kind::end_thrown;
        a.taken = std::chrono::nanoseconds(head.number);
        if (head.kind == record_kind::end_chunk) {
          byte_writer out(a.bytes);
          write_chunk(out, results_, failures_, failed_);
        } else {
          a.bytes.append(content, head.size);
        }
        if (!a.threw) a.out_of_band = std::move(out_of_band_);
        if (std::ranges::find(a.out_of_band, nullptr) != a.out_of_band.end()) {
          a.out_of_band.clear();
          a.bytes = encoded_exception(result_not_read());
          a.threw = true;
        }
        drop();
        return a;
      }
      default: throw error("an answer of a runner process is damaged");
    }
  }
  return std::nullopt;
}

// Returns a block of the log, or null if its process has ended before it was read. One that rank 0 reads is not read here.
std::shared_ptr<block> answer_reader::read_block(byte_reader& content) const {
  const auto about = content.get<block_description>();
  if (about.pid != 0) {
    if (about.pid != control_.pid) throw error("an answer of a runner process is damaged");
    if (about.bytes < remote_bytes || unread_ == nullptr) return fetch_block(about);
    auto stays = std::make_shared<remote_block>(about, unread_->add());
    (void)stays->make();  // throws if it is damaged, before rank 0 uses it
    return stays;
  }
  auto received = make_block(about);
  if (about.bytes > 0) std::memcpy(received->data(), content.take(about.bytes), about.bytes);
  return received;
}

void answer_reader::fail_item(std::span<const std::byte> exception) {
  byte_writer failures(failures_);
  append_failure(failures, items_.next, exception);
  ++failed_;
  end_item(items_.next + 1);
}

}  // namespace rankpool::detail

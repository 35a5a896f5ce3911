// Defines the format of a batch: the offset of each entry, then the entries. An entry is a call_head, the payload, and for each
// block its description, and the data unless that is in another process.
#include "runner/request.hpp"

#include "support/process_memory.hpp"
#include "wire/block_description.hpp"

#include <cstring>
#include <limits>
#include <vector>

namespace rankpool::detail {
namespace {

struct call_head {
  code_address function;
  task_limits limits;
  std::uint64_t payload_bytes = 0;
  std::uint64_t blocks = 0;
};

std::size_t entry_size(const task_runner::call& c, bool by_address) {
  std::size_t size = sizeof(call_head) + c.payload.size();
  for (const auto& b : c.out_of_band) size += sizeof(block_description) + (by_address || is_remote(*b) ? 0 : b->size());
  return size;
}

// Writes to memory that is large enough.
class cursor {
 public:
  explicit cursor(std::byte* at) : at_(at) {}
  void put(const void* bytes, std::size_t n) {
    if (n != 0) std::memcpy(at_, bytes, n);
    at_ += n;
  }

 private:
  std::byte* at_;
};

void write_entry(cursor& out, const task_runner::call& c, bool by_address) {
  const call_head head{c.function, c.limits, c.payload.size(), c.out_of_band.size()};
  out.put(&head, sizeof head);
  out.put(c.payload.data(), c.payload.size());
  for (const auto& b : c.out_of_band) {
    const block_description about = by_address ? describe_in_place(*b) : describe(*b);
    out.put(&about, sizeof about);
    if (about.pid == 0) out.put(b->data(), b->size());
  }
}

}  // namespace

std::size_t write_request(growing_memory& to, const task_runner::call& initializer, std::span<const task_runner::call> calls,
                          bool by_address) {
  std::vector<std::uint64_t> offsets;
  offsets.reserve(calls.size() + 1);
  std::size_t size = (calls.size() + 1) * sizeof(std::uint64_t);
  const auto place = [&](const task_runner::call& c) {
    offsets.push_back(size);
    size += entry_size(c, by_address);
  };
  place(initializer);
  for (const auto& c : calls) place(c);
  cursor out(to.allocate(size));
  out.put(offsets.data(), offsets.size() * sizeof offsets[0]);
  write_entry(out, initializer, by_address);
  for (const auto& c : calls) write_entry(out, c, by_address);
  return size;
}

received_call request_reader::read(std::size_t entry) const {
  byte_reader table(data_, size_);
  (void)table.take(entry * sizeof(std::uint64_t));
  const auto offset = table.get<std::uint64_t>();
  if (offset > size_) throw error("a runner process has received a damaged batch");
  byte_reader in(data_ + offset, size_ - offset);
  const auto head = in.get<call_head>();
  received_call c;
  c.call.function = head.function;
  c.call.limits = head.limits;
  c.call.payload = {in.take(head.payload_bytes), head.payload_bytes};
  for (std::uint64_t b = 0; b < head.blocks; ++b) {
    const auto about = in.get<block_description>();
    std::shared_ptr<block> received;
    if (about.pid != 0) {
      received = fetch_block(about);
      if (received == nullptr) throw serialization_error("an argument could not be read from the memory of another process");
    } else {
      received = make_block(about);
      if (about.bytes > 0) std::memcpy(received->data(), in.take(about.bytes), about.bytes);
    }
    c.out_of_band.push_back(std::move(received));
  }
  c.call.out_of_band = c.out_of_band;
  return c;
}

}  // namespace rankpool::detail

// Arbitrary bytes as a frame: read within its bounds, or refused with message_error.
#include "fuzz/input.hpp"
#include "wire/frame.hpp"

using namespace rankpool::detail;

namespace {

std::size_t sum_of(bytes_view bytes) {  // reads every byte
  std::size_t sum = 0;
  for (const std::byte b : bytes) sum += static_cast<std::size_t>(b);
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  frame f;
  const std::size_t buffers = in.below(3);
  for (std::size_t i = 0; i < buffers; ++i) f.bulk.push_back(std::make_shared<held<byte_buffer>>(in.bytes(64)));
  f.head = in.rest();
  try {
    (void)take_descriptions(f.head);
  } catch (const message_error&) {
  }
  try {
    frame_reader reader(f);
    std::size_t sum = 0;
    for (record r; reader.next(r);) {
      if (const auto* task = std::get_if<task_record>(&r)) sum += sum_of(task->payload);
      if (const auto* result = std::get_if<result_record>(&r)) sum += sum_of(result->payload);
      fuzz::require(name_of(r) != nullptr);
    }
    [[maybe_unused]] volatile std::size_t used = sum;
  } catch (const message_error&) {
  }
  return 0;
}

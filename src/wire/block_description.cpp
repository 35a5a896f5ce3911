// Describes, allocates and fetches blocks.
#include "wire/block_description.hpp"

#include "support/process_memory.hpp"
#include "wire/frame.hpp"

#include <unistd.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace rankpool::detail {

std::span<std::byte> remote_block::bytes() { throw std::logic_error("the data of a remote block is in another process"); }

block::maker remote_block::make() const { return resolve_function<maker>(about_.maker); }

bool is_remote(const block& b) { return dynamic_cast<const remote_block*>(&b) != nullptr; }

block_description describe(block& b) {
  if (const auto* const remote = dynamic_cast<remote_block*>(&b)) return remote->description();
  return {.bytes = b.size(), .maker = locate_function(b.make())};
}

block_description describe_in_place(block& b) {
  block_description about = describe(b);
  if (about.pid != 0 || about.bytes == 0) return about;
  about.pid = getpid();
  about.address = reinterpret_cast<std::uint64_t>(b.data());
  return about;
}

std::shared_ptr<block> make_block(const block_description& of) {
  try {
    return resolve_function<block::maker>(of.maker)(of.bytes);
  } catch (const std::exception& e) {
    throw message_error("an out-of-band buffer of " + std::to_string(of.bytes) + " bytes cannot be received: " + e.what());
  }
}

std::shared_ptr<block> fetch_block(const block_description& of) {
  auto fetched = make_block(of);
  return read_memory(static_cast<pid_t>(of.pid), of.address, fetched->bytes()) ? fetched : nullptr;
}

}  // namespace rankpool::detail

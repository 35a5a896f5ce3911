// Describes a block without its data: what the receiver needs to allocate it, and the process that has the data if that is on the
// same node.
#pragma once

#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/code_address.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace rankpool::detail {

struct block_description {
  std::uint64_t bytes = 0;
  code_address maker;
  std::int64_t pid = 0;       ///< of the process that has the data; 0: the data is sent as well
  std::uint64_t address = 0;  ///< of the data in that process
};

/// The size, in bytes, from which a block may remain in its process until the process that needs it copies it from there.
inline constexpr std::size_t remote_bytes = 1 << 20;

/// A block whose data is in another process of this node.
class remote_block final : public block {
 public:
  /// `use`: released when nobody needs the data any more.
  explicit remote_block(const block_description& about, std::shared_ptr<void> use = nullptr)
      : about_(about), use_(std::move(use)) {}

  std::size_t size() override { return about_.bytes; }
  /// Throws: std::logic_error, because the data is not in this process.
  std::span<std::byte> bytes() override;
  maker make() const override;
  const block_description& description() const { return about_; }

 private:
  const block_description about_;
  const std::shared_ptr<void> use_;
};

/// Returns whether the data of a block is in another process.
bool is_remote(const block& b);
/// Describes a block whose data is sent as well, or a remote block.
block_description describe(block& b);
/// Describes a block whose data stays in its process.
block_description describe_in_place(block& b);

/// Allocates a block from its description. Throws: message_error.
std::shared_ptr<block> make_block(const block_description& of);
/// Allocates a block and copies its data from the process that has it. Returns null if that cannot be read. Throws: message_error.
std::shared_ptr<block> fetch_block(const block_description& of);

}  // namespace rankpool::detail

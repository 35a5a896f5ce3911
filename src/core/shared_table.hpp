// Which shared data this process has: what it has given, as rank 0, and what it has received, as a worker. One table for
// all pools of the process; a number is given once in a launch.
#pragma once

#include <rankpool/detail/shared_data.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace rankpool::detail {

/// A number that no other data has.
std::uint64_t new_shared_id();

/// Remembers what rank 0 gives, for as long as somebody holds it.
void note_given(const std::shared_ptr<const shared_data>& data);

/// Remembers what a worker of this process has received; as often as it is told to, so often it must be told to forget.
void note_received(std::shared_ptr<const shared_data> data);
/// Remembers why it could not be received.
void note_missing(std::uint64_t id, std::string why);
void forget_received(std::uint64_t id);

}  // namespace rankpool::detail

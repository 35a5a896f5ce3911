// The shared values that this process has: those that it sends as rank 0, and those that it has received as a worker. All pools of
// the process use one table. Ids are unique within a launch.
#pragma once

#include <rankpool/detail/shared/shared_data.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rankpool::detail {

/// Returns a new id.
std::uint64_t new_shared_id();

/// Records a value that rank 0 sends. Lifetime: the table does not keep the value alive.
void note_given(const std::shared_ptr<const shared_data>& data);

/// Records a value that a worker of this process has received. Each call requires a call of forget_received().
void note_received(std::shared_ptr<const shared_data> data);
/// Records why a worker could not receive a value. Each call requires a call of forget_received().
void note_missing(std::uint64_t id, std::string why);
/// Makes shared_data::find() call `pull` again and again while it waits; `pull` may call note_received(). Null: it only waits.
void await_shared_values_with(std::function<void()> pull);
/// Removes a value when the last worker of this process that received it no longer needs it.
void forget_received(std::uint64_t id);

}  // namespace rankpool::detail

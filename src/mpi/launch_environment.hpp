// The environment variables of MPI launchers, of ranks, and of the programs that ranks start.
#pragma once

#include <optional>
#include <string>

namespace rankpool::detail {

/// Returns the value of a variable. An empty value counts as unset.
std::optional<std::string> variable(const char* name);

/// Returns the integer that the text consists of; nothing if the text is anything else.
std::optional<int> number(const std::optional<std::string>& text);

/// Returns whether a rank of another program started this process. If so, the launcher's variables belong to that rank.
bool is_started_by_rank();

/// Returns the number of this rank, as the launcher's variables have it; nothing if there is none.
std::optional<int> rank_of_launch();

/// Returns whether this process reports errors that concern the whole launch. It does if it is rank 0, is not a rank, or was
/// started by a rank of another program.
bool is_reporting_process();

/// Marks the environment as this rank's own. A program that the rank starts then ignores the launcher's variables. Call it after
/// MPI is initialised. Only the first call has an effect.
void mark_environment();

/// Prepares the environment for a launcher that this process is about to start. Removes the variables of the launch whose rank
/// started this process, if any. Sets PATH and HOME to the system's defaults if they are unset, because Open MPI's launcher fails
/// without PATH, and Open MPI 5 without HOME.
void prepare_environment();

}  // namespace rankpool::detail

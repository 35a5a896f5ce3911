// Formats records of finished commands: a log line in the columns of GNU parallel, and a JSON line with all data.
#pragma once

#include <string>

#include "exec/command.hpp"

namespace jobs {

/// Returns the columns Seq to Command, as in GNU parallel's --joblog, and then Rank.
std::string log_header();
std::string log_line(const command& what, const command_outcome& outcome);

/// Returns an object with sequence, command, host, rank, start, seconds, status, signal, timed_out, tries, stdout_bytes and stderr.
std::string json_line(const command& what, const command_outcome& outcome, int tries);

}  // namespace jobs

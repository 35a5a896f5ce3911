// What is noted about a command that has run: a line of a log in GNU parallel's columns, and a line of JSON with all of it.
#pragma once

#include <string>

#include "exec/command.hpp"

namespace jobs {

/// Seq to Command as in GNU parallel's --joblog, then Rank.
std::string log_header();
std::string log_line(const command& what, const command_outcome& outcome);

/// An object with sequence, command, host, rank, start, seconds, status, signal, timed_out, tries, stdout_bytes and stderr.
std::string json_line(const command& what, const command_outcome& outcome, int tries);

}  // namespace jobs

// The data of a report from a journal: tasks, workers and failures, but no idle time, because a journal may be of several runs.
#pragma once

#include <rankpool/rankpool.hpp>
#include <string>

#include "report/run_data.hpp"

namespace jobs {

/// Returns the runs that the journal records, as one. Throws: rankpool::journal_error.
run_data read_journal(const std::string& file);

}  // namespace jobs

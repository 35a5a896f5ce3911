// The file of --output that workers write in parts, as the library's result_file.
#pragma once

#include <cstdint>
#include <rankpool/result_file.hpp>

#include "engine/job_run.hpp"

namespace jobs {

/// Reserves `bytes` bytes for the file. With a journal, it is the same file in all runs. Prints a note if an earlier run has
/// finished it. Throws: usage_error if the file must not be replaced, or if the journal has parts of another file; file_error;
/// journal_error.
rankpool::result_file open_result_file(job_run& run, std::uint64_t bytes);

}  // namespace jobs

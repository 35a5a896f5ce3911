// Opens the file of --output for jobs whose workers write it in parts, as the library's result_file.
#pragma once

#include <cstdint>
#include <rankpool/result_file.hpp>

#include "engine/job_run.hpp"

namespace jobs {

/// Creates the file with `bytes` bytes of disk space. With a journal, all runs write the same file. Prints a note if an earlier run
/// finished it. Throws: usage_error if the file exists and may not be overwritten, or if the journal has parts of a file with
/// another name; file_error; journal_error.
rankpool::result_file open_result_file(job_run& run, std::uint64_t bytes);

}  // namespace jobs

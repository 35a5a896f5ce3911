// Reads a trace that run_options::trace wrote, also of a run that was killed.
#pragma once

#include <string>

#include "report/run_data.hpp"

namespace jobs {

/// Returns the run that the file describes. Throws: report_error (run_data.hpp).
run_data read_trace(const std::string& file);

}  // namespace jobs

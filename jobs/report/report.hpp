// Reports: one HTML page about a run, from its trace or its journal.
#pragma once

#include <string>

#include "engine/output.hpp"
#include "report/run_data.hpp"

namespace jobs {

/// Writes the page about the run that `source` describes, a trace or a journal. `is_kept`: the page may name it. Throws:
/// report_error, output_error, rankpool::journal_error.
void write_report(const std::string& source, const output_options& destination, bool is_kept = true);

}  // namespace jobs

// The page of a report: one HTML file that needs nothing else.
#pragma once

#include <string>

#include "report/run_data.hpp"

namespace jobs {

/// Returns the page. page.html is its template.
std::string page_of(const run_data& run);

}  // namespace jobs

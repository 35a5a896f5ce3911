// Parses times on the command line: 90, 1.5s, 250ms, 5min, 1h, 2d.
#pragma once

#include <string_view>

namespace jobs {

/// Returns a time in seconds. `text` is a number with one of the units ms, s, m or min, h, d; without a unit, it is in seconds.
/// Throws: std::invalid_argument if `text` has another form or is negative.
double parse_duration(std::string_view text);

}  // namespace jobs

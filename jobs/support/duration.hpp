// Times on the command line: 90, 1.5s, 250ms, 5min, 1h, 2d.
#pragma once

#include <string_view>

namespace jobs {

/// `text` in seconds: a number with one of the units ms, s, m or min, h, d; without a unit it is in seconds.
/// Throws: std::invalid_argument for anything else and for a negative time.
double parse_duration(std::string_view text);

}  // namespace jobs

// What users gave, as a message shows it: whatever bytes it holds, the message stays one line, whole, and without effect on
// the terminal.
#pragma once

#include <string>
#include <string_view>

namespace jobs {

/// Control characters as \xNN; all else, UTF-8 included, as it is.
std::string printable(std::string_view text);

/// The same in quotation marks, cut to some sixty bytes.
std::string in_quotes(std::string_view text);

}  // namespace jobs

// What users gave, as a message shows it: whatever bytes it holds, the message stays one line, whole, and without effect on
// the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jobs {

/// Control characters as \xNN; all else, UTF-8 included, as it is.
std::string printable(std::string_view text);

/// Cut to `most` bytes, the last three of them dots then, and never within a character of UTF-8.
std::string shortened(std::string_view text, std::size_t most);

/// Printable, in quotation marks, and cut to some sixty bytes.
std::string in_quotes(std::string_view text);

}  // namespace jobs

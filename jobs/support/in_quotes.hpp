// Formats text from the user for messages. Whatever bytes the text has, the message stays one line and cannot control the
// terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jobs {

/// Replaces control characters by \xNN. Other characters, including UTF-8, are unchanged.
std::string printable(std::string_view text);

/// Cuts a text to `most` bytes, the last three being dots, but never within a UTF-8 character. A shorter text is unchanged.
std::string shortened(std::string_view text, std::size_t most);

/// Returns the printable text in quotation marks, cut to about sixty bytes.
std::string in_quotes(std::string_view text);

}  // namespace jobs

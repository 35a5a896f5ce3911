#include "support/in_quotes.hpp"

namespace jobs {

std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, two bytes in UTF-8, are control characters too.
    const bool is_second = i > 0 && text[i - 1] == '\xc2' && byte >= 0x80 && byte < 0xa0;
    if (byte >= 0x20 && byte != 0x7f && !is_second) {
      shown += text[i];
    } else {
      shown += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
    }
  }
  return shown;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 60;
  std::size_t end = text.size();
  if (end > most) {
    for (end = most - 3; end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80;) --end;  // never within a character
  }
  std::string shown = "'";
  shown += printable(text.substr(0, end));
  shown += end < text.size() ? "...'" : "'";
  return shown;
}

}  // namespace jobs

// The parts of the JSON printer that do not depend on a result's type.
#include <rankpool/detail/journal/json_text.hpp>

#include <nlohmann/json.hpp>

#include <iterator>

namespace rankpool::detail {

void put_json_string(std::string& out, std::string_view text) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void put_json_integer(std::string& out, bool negative, unsigned __int128 magnitude) {
  char digits[40];
  char* first = std::end(digits);
  do {
    *--first = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude != 0);
  if (negative) *--first = '-';
  out.append(first, std::end(digits));
}

}  // namespace rankpool::detail

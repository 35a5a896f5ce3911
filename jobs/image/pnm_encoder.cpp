// Encodes PNM: P5 for gray, P6 for RGB, most significant byte first.
#include <bit>

#include "image/picture_encoder.hpp"

namespace jobs::pnm {

std::string start(const picture_layout& layout) {
  return std::string(layout.channels == 1 ? "P5" : "P6") + "\n" + std::to_string(layout.width) + " " +
         std::to_string(layout.height) + "\n" + (layout.bits == 8 ? "255" : "65535") + "\n";
}

encoded_strip encode(const strip_rows& strip, const std::uint8_t* samples) {
  encoded_strip result;
  result.bytes.assign(reinterpret_cast<const char*>(samples), strip.layout.row_bytes() * strip.rows);
  if (strip.layout.bits == 16 && std::endian::native == std::endian::little) {
    for (std::size_t i = 0; i < result.bytes.size(); i += 2) std::swap(result.bytes[i], result.bytes[i + 1]);
  }
  return result;
}

}  // namespace jobs::pnm

#include "image/picture_encoder.hpp"

#include <utility>

namespace jobs {

std::string reason_against(const encoding& how, const picture_layout& layout) {
  if (how.format != picture_format::png && layout.has_alpha()) {
    return std::string(how.format == picture_format::jpeg ? "JPEG" : "PNM") + " cannot store transparency; choose PNG";
  }
  if (how.format == picture_format::jpeg && (layout.width > 65'500 || layout.height > 65'500)) {
    return "JPEG has at most 65500 pixels on a side; choose PNG or PNM";
  }
  return {};
}

encoded_strip encode_strip(const encoding& how, const strip_rows& strip, const std::uint8_t* samples) {
  switch (how.format) {
    case picture_format::png: return png::encode(how.compression, strip, samples);
    case picture_format::jpeg: return jpeg::encode(how.quality, strip, samples);
    default: return pnm::encode(strip, samples);
  }
}

std::string kept_metadata(const picture_reader& from, const encoding& how, const picture_layout& layout) {
  if (from.format() != how.format) return {};
  if (from.layout().colors() == layout.colors()) return from.metadata();
  return how.format == picture_format::png ? png::without_profile(from.metadata()) : jpeg::without_profile(from.metadata());
}

std::string picture_joiner::start() const {
  switch (how_.format) {
    case picture_format::png: return png::start(layout_, metadata_);
    case picture_format::pnm: return pnm::start(layout_);
    default: return {};  // a JPEG's tables are part of the first encoded strip
  }
}

std::string picture_joiner::part(encoded_strip&& strip) {
  const bool is_first = std::exchange(first_, false);
  if (how_.format == picture_format::png) checksum_ = png::join_checksums(checksum_, strip);
  if (how_.format == picture_format::jpeg && is_first) return jpeg::first_part(strip.bytes, metadata_);
  return std::move(strip.bytes);
}

std::string picture_joiner::end() const { return how_.format == picture_format::png ? png::end(checksum_) : std::string(); }

}  // namespace jobs

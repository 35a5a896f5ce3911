// Pictures written strip by strip: each strip is encoded on its own, wherever it lies, and the results are joined.
//
// All three formats allow it. PNG: one IDAT chunk a strip, each a piece of one deflate stream that looks back at nothing. JPEG:
// restart markers after every row of blocks, as if the picture had been encoded whole. PNM: the bytes themselves.
#pragma once

#include <cstdint>
#include <string>

#include "image/picture.hpp"
#include "image/picture_reader.hpp"

namespace jobs {

struct encoding {
  picture_format format = picture_format::png;
  int quality = 92;     // of a JPEG; from 90 on with colours in full resolution
  int compression = 4;  // of a PNG: zlib's level

  /// Strips, but for the last, have a multiple of so many rows.
  std::uint32_t row_unit() const { return format == picture_format::jpeg ? 128 : 16; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& format& quality& compression;
  }
};

struct encoded_strip {
  std::string bytes;
  std::uint32_t checksum = 0;  // PNG: Adler-32 of what was compressed, of so many bytes
  std::uint64_t raw_bytes = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& bytes& checksum& raw_bytes;
  }
};

/// Why a picture of this layout cannot be written so; empty if it can.
std::string reason_against(const encoding& how, const picture_layout& layout);

/// `samples` are those of the strip, without a halo.
encoded_strip encode_strip(const encoding& how, const strip_rows& strip, const std::uint8_t* samples);

/// What the metadata of `from` means for a result in this format with these channels.
std::string kept_metadata(const picture_reader& from, const encoding& how, const picture_layout& layout);

/// Puts the parts of a file in their order: start(), part() of every strip from the first, end().
class picture_joiner {
 public:
  picture_joiner(const encoding& how, const picture_layout& layout, std::string metadata)
      : how_(how), layout_(layout), metadata_(std::move(metadata)) {}

  std::string start() const;
  std::string part(encoded_strip&& strip);
  std::string end() const;

 private:
  encoding how_;
  picture_layout layout_;
  std::string metadata_;
  bool first_ = true;
  std::uint32_t checksum_ = 1;
};

// One for each format: what the three above consist of.
namespace png {
std::string start(const picture_layout& layout, const std::string& metadata);
encoded_strip encode(int compression, const strip_rows& strip, const std::uint8_t* samples);
std::uint32_t join_checksums(std::uint32_t before, const encoded_strip& strip);
std::string end(std::uint32_t checksum);
std::string without_profile(const std::string& metadata);
}  // namespace png

namespace jpeg {
encoded_strip encode(int quality, const strip_rows& strip, const std::uint8_t* samples);
std::string first_part(const std::string& encoded, const std::string& metadata);
std::string without_profile(const std::string& metadata);
}  // namespace jpeg

namespace pnm {
std::string start(const picture_layout& layout);
encoded_strip encode(const strip_rows& strip, const std::uint8_t* samples);
}  // namespace pnm

}  // namespace jobs

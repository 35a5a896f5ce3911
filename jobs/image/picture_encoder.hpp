// Pictures written strip by strip: any worker encodes a strip independently of the others, and the encoded strips are joined.
//
// A PNG strip is one IDAT chunk, a part of one deflate stream that refers to no earlier data. A JPEG strip has a restart marker
// after every row of blocks, so the file equals a JPEG encoded as a whole. A PNM strip is the raw samples.
#pragma once

#include <cstdint>
#include <string>

#include "image/picture.hpp"
#include "image/picture_reader.hpp"

namespace jobs {

struct encoding {
  picture_format format = picture_format::png;
  int quality = 92;     // of a JPEG; from 90 on, chroma has full resolution
  int compression = 4;  // zlib compression level of a PNG

  /// Returns the unit of strip heights: every strip but the last has a multiple of this many rows.
  std::uint32_t row_unit() const { return format == picture_format::jpeg ? 128 : 16; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& format& quality& compression;
  }
};

struct encoded_strip {
  std::string bytes;
  std::uint32_t checksum = 0;  // PNG: Adler-32 checksum of the bytes before compression
  std::uint64_t raw_bytes = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& bytes& checksum& raw_bytes;
  }
};

/// Returns why a picture of this layout cannot be encoded this way; empty if it can.
std::string reason_against(const encoding& how, const picture_layout& layout);

/// Encodes one strip. `samples` are the samples of the strip, without a halo.
encoded_strip encode_strip(const encoding& how, const strip_rows& strip, const std::uint8_t* samples);

/// Returns the part of the metadata of `from` that is valid for a result in this format with these channels.
std::string kept_metadata(const picture_reader& from, const encoding& how, const picture_layout& layout);

/// Joins the parts of a file in order: start(), part() for every strip from the first to the last, end().
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

// The implementation of the functions above for each format.
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

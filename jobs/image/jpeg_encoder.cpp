// Encodes JPEG by strips: each is compressed as a separate JPEG. The result has the tables of the first and the blocks of all.
//
// A restart marker after every row of blocks makes the rows independent. Restart markers are numbered 0 to 7 cyclically. A strip
// has a multiple of eight rows of blocks, so the numbers within it are right and RST7 separates two strips.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "image/picture_encoder.hpp"

namespace jobs::jpeg {
namespace {

struct encoder {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = {};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;

  encoder() {
    jpeg.err = jpeg_std_error(&errors);
    jpeg.client_data = this;
    errors.error_exit = [](j_common_ptr failed) {
      auto& self = *static_cast<encoder*>(failed->client_data);
      failed->err->format_message(failed, self.message);
      std::longjmp(self.jump, 1);
    };
  }
  ~encoder() {
    jpeg_destroy_compress(&jpeg);
    std::free(bytes);
  }
  encoder(const encoder&) = delete;
  encoder& operator=(const encoder&) = delete;

  // libjpeg reports errors by longjmp: no object with a destructor may be alive in this function.
  void encode(int quality, const strip_rows& strip, const std::uint8_t* samples, std::uint8_t* narrow_row) {
    if (setjmp(jump) != 0) throw std::runtime_error(std::string("libjpeg: ") + message);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = strip.layout.width;
    jpeg.image_height = strip.rows;
    jpeg.input_components = static_cast<int>(strip.layout.channels);
    jpeg.in_color_space = strip.layout.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    if (quality >= 90) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg.restart_in_rows = 1;
    jpeg_start_compress(&jpeg, TRUE);
    const std::size_t n = strip.layout.row_samples();
    for (std::uint32_t y = 0; y < strip.rows; ++y) {
      if (strip.layout.bits == 16) {
        const auto* const wide = reinterpret_cast<const std::uint16_t*>(samples) + y * n;
        for (std::size_t i = 0; i < n; ++i) narrow_row[i] = static_cast<std::uint8_t>((wide[i] + 128U) / 257U);
      }
      JSAMPROW row = strip.layout.bits == 16 ? narrow_row : const_cast<JSAMPROW>(samples + y * n);
      jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
  }
};

/// Calls visit(marker, offset of the segment, length with the marker) for every segment before the compressed blocks. Returns the
/// offset of the blocks.
template <class Visit>
std::size_t for_each_segment(std::string_view bytes, std::size_t at, Visit visit) {
  constexpr unsigned char start_of_scan = 0xda;
  while (at + 4 <= bytes.size()) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
    const std::size_t length = 2 + (std::size_t{byte(2)} << 8 | byte(3));
    const unsigned char marker = byte(1);
    visit(marker, at, length);
    at += length;
    if (marker == start_of_scan) break;
  }
  return at;
}

}  // namespace

encoded_strip encode(int quality, const strip_rows& strip, const std::uint8_t* samples) {
  std::vector<std::uint8_t> narrow_row(strip.layout.bits == 16 ? strip.layout.row_samples() : 0);
  encoder one;
  one.encode(quality, strip, samples, narrow_row.data());
  std::string whole(reinterpret_cast<const char*>(one.bytes), one.size);
  const std::size_t blocks = for_each_segment(whole, 2, [&](unsigned char marker, std::size_t at, std::size_t) {
    if (marker != 0xc0) return;  // SOF0: the frame header, which holds the height of the whole picture
    whole[at + 5] = static_cast<char>(strip.layout.height >> 8);
    whole[at + 6] = static_cast<char>(strip.layout.height & 0xff);
  });
  encoded_strip result;
  if (strip.first == 0) {
    result.bytes = std::move(whole);
  } else {
    result.bytes = "\xff\xd7" + whole.substr(blocks);
  }
  if (!strip.is_last()) result.bytes.resize(result.bytes.size() - 2);  // removes the end-of-image marker
  return result;
}

std::string first_part(const std::string& encoded, const std::string& metadata) {
  std::size_t after_jfif = 2;
  for_each_segment(encoded, 2, [&](unsigned char marker, std::size_t at, std::size_t length) {
    if (marker == 0xe0) after_jfif = at + length;
  });
  return encoded.substr(0, after_jfif) + metadata + encoded.substr(after_jfif);
}

std::string without_profile(const std::string& metadata) {
  std::string kept;
  for_each_segment(metadata, 0, [&](unsigned char marker, std::size_t at, std::size_t length) {
    if (marker != 0xe2) kept += metadata.substr(at, length);
  });
  return kept;
}

}  // namespace jobs::jpeg

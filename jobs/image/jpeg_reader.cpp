// Reads JPEG row by row through libjpeg, as 8-bit gray or RGB. CMYK is refused: its colors are undefined without a profile.
#include <cstddef>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <new>
#include <string_view>

#include "image/picture_reader.hpp"

namespace jobs {
namespace {

constexpr int exif_marker = JPEG_APP0 + 1, profile_marker = JPEG_APP0 + 2;
constexpr std::string_view index_mark("MPF\0", 4);

/// Returns whether a multi-picture index (CIPA DC-007, without its mark) lists further views, as in a stereo pair or a panorama.
/// Other pictures in the index, such as previews and gain maps, belong to the first picture.
bool lists_further_views(std::string_view index) {
  const bool is_little_endian = index.starts_with('I');
  const auto number = [&](std::size_t at, std::size_t bytes) {  // returns zeros beyond the end
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::size_t place = at + (is_little_endian ? bytes - 1 - i : i);
      value = value << 8 | (place < index.size() ? static_cast<unsigned char>(index[place]) : 0U);
    }
    return value;
  };
  constexpr std::uint32_t entries_tag = 0xb002, entry_bytes = 16, type_of_views = 2;
  const std::size_t directory = number(4, 4), fields = number(directory, 2);
  for (std::size_t field = directory + 2; field < directory + 2 + 12 * fields; field += 12) {
    if (number(field, 2) != entries_tag) continue;
    const std::size_t begin = number(field + 8, 4), end = std::min(begin + number(field + 4, 4), index.size());
    for (std::size_t entry = begin; entry + entry_bytes <= end; entry += entry_bytes) {
      if ((number(entry, 4) >> 16 & 0xff) == type_of_views) return true;
    }
  }
  return false;
}

class jpeg_reader final : public picture_reader {
 public:
  explicit jpeg_reader(const std::string& path) : picture_reader(path, picture_format::jpeg) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    jpeg_.client_data = this;
    try {
      guarded([this] { read_header(); });
      layout_ = {jpeg_.output_width, jpeg_.output_height, static_cast<std::uint32_t>(jpeg_.output_components), 8};
      for (auto* marker = jpeg_.marker_list; marker != nullptr; marker = marker->next) keep(*marker);
    } catch (...) {
      jpeg_destroy_decompress(&jpeg_);
      throw;
    }
  }
  ~jpeg_reader() override { jpeg_destroy_decompress(&jpeg_); }

  void read_row(std::uint8_t* into) override {
    guarded([this, into] {
      if (!is_started_) is_started_ = jpeg_start_decompress(&jpeg_) == TRUE;  // decodes a progressive JPEG as a whole
      JSAMPROW row = into;
      jpeg_read_scanlines(&jpeg_, &row, 1);
    });
    if (damaged_) fail(message_.data());
  }

  void finish() override {
    guarded([this] { jpeg_finish_decompress(&jpeg_); });
    if (damaged_) fail(message_.data());
    if (!has_index_ && is_followed_by_another()) fail_with_several("a second JPEG follows the first");
  }

 private:
  // libjpeg reports errors by longjmp: no object with a destructor may be alive between setjmp and the failing call.
  template <class Call>
  void guarded(Call call) {
    if (setjmp(jump_) != 0) {
      if (errors_.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
      fail(message_.data());
    }
    call();
  }

  static jpeg_reader& self_of(j_common_ptr jpeg) { return *static_cast<jpeg_reader*>(jpeg->client_data); }

  void note(j_common_ptr jpeg) {
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    const bool ends = std::string_view(text).starts_with("Premature end");
    std::snprintf(message_.data(), message_.size(), ends ? "ends too early" : "is damaged or not supported: %s", text);
  }

  static void on_error(j_common_ptr jpeg) {
    self_of(jpeg).note(jpeg);
    std::longjmp(self_of(jpeg).jump_, 1);
  }

  // A libjpeg warning means that the following pixels are invented. The exception is extraneous bytes between segments.
  static void on_message(j_common_ptr jpeg, int level) {
    jpeg_reader& self = self_of(jpeg);
    if (level >= 0 || self.damaged_) return;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    if (std::strstr(text, "extraneous") != nullptr) return;
    self.damaged_ = true;
    self.note(jpeg);
  }

  void read_header() {
    jpeg_create_decompress(&jpeg_);
    jpeg_stdio_src(&jpeg_, file_.get());
    jpeg_save_markers(&jpeg_, exif_marker, 0xffff);
    jpeg_save_markers(&jpeg_, profile_marker, 0xffff);
    jpeg_read_header(&jpeg_, TRUE);
    if (jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK) {
      std::snprintf(message_.data(), message_.size(), "is a CMYK JPEG; gray and RGB ones are supported");
      std::longjmp(jump_, 1);
    }
    jpeg_.out_color_space = jpeg_.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_calc_output_dimensions(&jpeg_);
  }

  bool is_followed_by_another() {
    const off_t end = ::ftello(file_.get()) - static_cast<off_t>(jpeg_.src->bytes_in_buffer);
    std::array<char, 3> next{};
    return ::fseeko(file_.get(), end, SEEK_SET) == 0 && std::fread(next.data(), 1, next.size(), file_.get()) == next.size() &&
           std::string_view(next.data(), next.size()) == "\xff\xd8\xff";
  }

  void keep(const jpeg_marker_struct& marker) {
    const std::string_view data(reinterpret_cast<const char*>(marker.data), marker.data_length);
    if (marker.marker == profile_marker && data.starts_with(index_mark)) {
      if (lists_further_views(data.substr(index_mark.size()))) fail_with_several("is a JPEG of several pictures");
      has_index_ = true;  // the index is dropped: the result holds only the first picture
      return;
    }
    const std::size_t length = marker.data_length + 2;
    metadata_ += {'\xff', static_cast<char>(marker.marker), static_cast<char>(length >> 8), static_cast<char>(length)};
    metadata_ += data;
  }

  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf jump_;
  std::array<char, 300> message_{};
  bool has_index_ = false;  // a multi-picture index was found
  bool is_started_ = false;
  bool damaged_ = false;
};

}  // namespace

std::unique_ptr<picture_reader> open_jpeg(const std::string& path) { return std::make_unique<jpeg_reader>(path); }

}  // namespace jobs

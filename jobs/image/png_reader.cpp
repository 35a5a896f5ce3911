// Reads PNG row by row through libpng. An interlaced picture is decoded as a whole before its first row is returned.
#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>

#include "image/picture_reader.hpp"

namespace jobs {
namespace {

class png_reader final : public picture_reader {
 public:
  explicit png_reader(const std::string& path) : picture_reader(path, picture_format::png) {
    keep_metadata();
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
    try {
      if (info_ == nullptr) fail("no memory for libpng");
      guarded([this] { read_header(); });
      stored_row_bytes_ = png_get_rowbytes(png_, info_);
      const std::uint32_t channels = palette_.empty() ? png_get_channels(png_, info_) : palette_has_alpha_ ? 4 : 3;
      layout_ = {png_get_image_width(png_, info_), png_get_image_height(png_, info_), channels, png_get_bit_depth(png_, info_)};
    } catch (...) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw;
    }
  }
  ~png_reader() override { png_destroy_read_struct(&png_, &info_, nullptr); }

  void read_row(std::uint8_t* into) override {
    if (palette_.empty()) return read_stored_row(into);
    indices_.resize(stored_row_bytes_);
    read_stored_row(indices_.data());
    for (const std::uint8_t index : indices_) {
      if (index >= palette_.size()) {
        fail("is damaged: a pixel has color " + std::to_string(index) + ", but its palette has " + std::to_string(palette_.size()) +
             " colors");
      }
      into = std::copy_n(palette_[index].data(), layout_.channels, into);
    }
  }

  void finish() override {
    guarded([this] { png_read_end(png_, nullptr); });
    std::array<unsigned char, 8> next{};
    if (std::fread(next.data(), 1, next.size(), file_.get()) == next.size() && png_sig_cmp(next.data(), 0, next.size()) == 0)
      fail_with_several("a second PNG follows the first");
  }

 private:
  // libpng reports errors by longjmp: no object with a destructor may be alive between setjmp and the failing call.
  template <class Call>
  void guarded(Call call) {
    if (setjmp(jump_) != 0) fail(message_.data());
    call();
  }

  static void on_error(png_structp png, png_const_charp text) {
    auto& self = *static_cast<png_reader*>(png_get_error_ptr(png));
    std::snprintf(self.message_.data(), self.message_.size(), "is damaged or not supported: %s", text);
    std::longjmp(self.jump_, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}

  static void on_read(png_structp png, png_bytep into, std::size_t bytes) {
    auto& self = *static_cast<png_reader*>(png_get_io_ptr(png));
    if (std::fread(into, 1, bytes, self.file_.get()) == bytes) return;
    std::snprintf(self.message_.data(), self.message_.size(), "%s",
                  std::ferror(self.file_.get()) ? "cannot be read to its end" : "ends too early");
    std::longjmp(self.jump_, 1);
  }

  void read_header() {
    png_set_read_fn(png_, this, on_read);
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);  // by default, libpng only warns of damaged metadata chunks
    png_read_info(png_, info_);
    if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE) {
      read_palette();
      png_set_packing(png_);  // one index per byte: libpng would turn an index outside the palette into black
    } else {
      png_set_expand(png_);
    }
    if (std::endian::native == std::endian::little) png_set_swap(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  void read_palette() {
    png_colorp colors = nullptr;
    png_bytep alphas = nullptr;
    int count = 0, alpha_count = 0;
    png_get_PLTE(png_, info_, &colors, &count);
    palette_has_alpha_ = png_get_tRNS(png_, info_, &alphas, &alpha_count, nullptr) != 0 && alpha_count > 0;
    for (int i = 0; i < count; ++i) {
      const png_byte alpha = palette_has_alpha_ && i < alpha_count ? alphas[i] : 255;
      palette_.push_back({colors[i].red, colors[i].green, colors[i].blue, alpha});
    }
  }

  void read_stored_row(std::uint8_t* into) {
    if (passes_ == 1) return guarded([this, into] { png_read_row(png_, into, nullptr); });
    if (whole_.empty()) read_interlaced();
    std::copy_n(whole_.data() + next_row_++ * stored_row_bytes_, stored_row_bytes_, into);
  }

  void read_interlaced() {
    whole_.resize(stored_row_bytes_ * layout_.height);
    std::vector<png_bytep> rows(layout_.height);
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = whole_.data() + y * stored_row_bytes_;
    guarded([this, &rows] { png_read_image(png_, rows.data()); });
  }

  // Copies the chunks before the pixels that do not describe how pixels are stored. libpng checks these chunks later.
  void keep_metadata() {
    std::array<unsigned char, 8> head{};
    std::fseek(file_.get(), 8, SEEK_SET);
    while (std::fread(head.data(), 1, head.size(), file_.get()) == head.size()) {
      const std::string_view type(reinterpret_cast<const char*>(head.data()) + 4, 4);
      const std::size_t bytes = std::size_t{head[0]} << 24 | std::size_t{head[1]} << 16 | std::size_t{head[2]} << 8 | head[3];
      if (type == "acTL") fail_with_several("is an animated PNG");
      if (type == "IDAT" || type == "IEND") break;
      const bool keep =
          bytes < (1U << 24) && (type == "gAMA" || type == "cHRM" || type == "sRGB" || type == "iCCP" || type == "pHYs" ||
                                 type == "eXIf" || type == "tEXt" || type == "zTXt" || type == "iTXt" || type == "tIME");
      if (!keep) {
        if (std::fseek(file_.get(), static_cast<long>(bytes) + 4, SEEK_CUR) != 0) break;
        continue;
      }
      std::string chunk(bytes + 12, '\0');
      std::copy(head.begin(), head.end(), chunk.begin());
      if (std::fread(chunk.data() + 8, 1, bytes + 4, file_.get()) != bytes + 4) break;
      metadata_ += chunk;
    }
    std::rewind(file_.get());
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::vector<std::array<std::uint8_t, 4>> palette_;  // RGB and alpha; empty: the file has no palette
  bool palette_has_alpha_ = false;
  std::size_t stored_row_bytes_ = 0;  // bytes of palette indices, or of samples if there is no palette
  std::vector<std::uint8_t> indices_;
  int passes_ = 1;
  std::size_t next_row_ = 0;
  std::vector<std::uint8_t> whole_;  // the decoded picture; only if it is interlaced
  std::jmp_buf jump_;
  std::array<char, 300> message_{};
};

}  // namespace

std::unique_ptr<picture_reader> open_png(const std::string& path) { return std::make_unique<png_reader>(path); }

}  // namespace jobs

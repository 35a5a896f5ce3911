// Pictures read row by row: PNG through libpng, JPEG through libjpeg, PNM (P1 to P6) directly.
//
// A reader gives samples of 8 or 16 bits in the machine's order, whatever the file has: palettes and fewer bits are widened.
// What is truncated or damaged is an error, not a gray area: decoders that only warn are not believed. A file of several pictures
// is an error, too: reading the first one would lose the others silently.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "image/input_file.hpp"
#include "image/picture.hpp"

namespace jobs {

class picture_reader {
 public:
  /// Throws: picture_error, if there is no such file.
  picture_reader(std::string path, picture_format format)
      : path_(std::move(path)), format_(format), file_(open_input_file(path_)) {}
  virtual ~picture_reader() = default;
  picture_reader(const picture_reader&) = delete;
  picture_reader& operator=(const picture_reader&) = delete;

  const std::string& path() const { return path_; }
  picture_format format() const { return format_; }
  const picture_layout& layout() const { return layout_; }
  /// What stands beside the pixels and is to be kept, such as colour profiles, as the format has it: chunks or segments.
  const std::string& metadata() const { return metadata_; }
  /// Of the open file, now. Throws: picture_error.
  file_version version() const { return version_of(file_, path_); }

  /// The next row, layout().row_bytes(). Throws: picture_error, as all that follows.
  virtual void read_row(std::uint8_t* into) = 0;
  /// After the last row: whether the rest of the file is there.
  virtual void finish() {}
  /// Whether rows can be passed over without being decoded, as in a raw PNM.
  virtual bool can_skip() const { return false; }
  /// Goes on with this row, if can_skip().
  virtual void skip_to(std::uint32_t) {}

 protected:
  [[noreturn]] void fail(const std::string& why) const { throw picture_error(path_ + ": " + why); }
  [[noreturn]] void fail_with_several(const std::string& what) const { fail(what + "; split it into files of one picture each"); }

  std::string path_;
  picture_format format_;
  input_file file_;
  picture_layout layout_;
  std::string metadata_;
};

/// Opens a picture by what it holds, not by its name, and reads its header. Throws: picture_error.
std::unique_ptr<picture_reader> open_picture(const std::string& path);

std::unique_ptr<picture_reader> open_png(const std::string& path);
std::unique_ptr<picture_reader> open_jpeg(const std::string& path);
std::unique_ptr<picture_reader> open_pnm(const std::string& path);

}  // namespace jobs

// Reads pictures row by row: PNG through libpng, JPEG through libjpeg, PNM (P1 to P6) directly.
//
// A reader returns 8-bit or 16-bit samples in native byte order: palettes and samples of fewer bits are expanded. Truncated or
// damaged data is an error, even if the decoder only warns. A file of several pictures is an error, too: reading only the first
// would silently lose the others.
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
  /// Opens the file. Throws: picture_error if it does not exist.
  picture_reader(std::string path, picture_format format)
      : path_(std::move(path)), format_(format), file_(open_input_file(path_)) {}
  virtual ~picture_reader() = default;
  picture_reader(const picture_reader&) = delete;
  picture_reader& operator=(const picture_reader&) = delete;

  const std::string& path() const { return path_; }
  picture_format format() const { return format_; }
  const picture_layout& layout() const { return layout_; }
  /// Returns the metadata to keep, such as color profiles, in the encoding of the file's format: chunks or segments.
  const std::string& metadata() const { return metadata_; }
  /// Returns the current version of the open file. Throws: picture_error.
  file_version version() const { return version_of(file_, path_); }

  /// Reads the next row of layout().row_bytes() bytes. Throws: picture_error, like all following functions.
  virtual void read_row(std::uint8_t* into) = 0;
  /// Checks that the rest of the file is complete. Called after the last row.
  virtual void finish() {}
  /// Returns whether rows can be skipped without decoding them, as in a raw PNM.
  virtual bool can_skip() const { return false; }
  /// Continues with the given row. Requires can_skip().
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

/// Opens a picture and reads its header. The contents decide the format, not the name. Throws: picture_error.
std::unique_ptr<picture_reader> open_picture(const std::string& path);

std::unique_ptr<picture_reader> open_png(const std::string& path);
std::unique_ptr<picture_reader> open_jpeg(const std::string& path);
std::unique_ptr<picture_reader> open_pnm(const std::string& path);

}  // namespace jobs

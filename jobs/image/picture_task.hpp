// One picture from a file to a file by one worker, strip by strip: what a folder of pictures is made of.
#pragma once

#include <cstdint>
#include <rankpool/result_files.hpp>
#include <stdexcept>
#include <string>

#include "image/operation.hpp"
#include "image/picture_encoder.hpp"

namespace jobs {

struct picture_files {
  std::string input;
  std::string output;
  int format = -1;                 // a picture_format; -1: that of the input
  rankpool::item_target target{};  // of `output`, unless that is a stream

  bool is_stream() const { return target.path().empty(); }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& input& output& format& target;
  }
  picture_format format_for(picture_format of_input) const { return format < 0 ? of_input : static_cast<picture_format>(format); }
};

/// What all pictures of a run have in common.
struct picture_settings {
  operation what;
  int quality = 92;
  int compression = 4;
  std::uint64_t split_from = 0;  // a picture of so many pixels is left alone, for all workers together; 0: none is
  std::uint64_t rows = 0;        // of a strip; 0: what suits
  bool verify = false;

  encoding encode_as(picture_format format) const { return {format, quality, compression}; }
  /// Throws: picture_error if the result cannot be written so.
  encoding encoding_for(const picture_files& files, const picture_reader& from) const;
  /// Some 1 MiB of rows, more where the halo would be most of what is read; whatever `rows` says, no more than 1 GiB of them.
  std::uint32_t strip_rows_for(const picture_layout& layout, picture_format to) const;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& what& quality& compression& split_from& rows& verify;
  }
};

struct picture_result {
  std::uint64_t pixels = 0;
  bool is_left = false;              // it is large enough to be split, and nothing was written
  rankpool::file_version version{};  // of the result

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& pixels& is_left& version;
  }
};

/// A picture was not processed: what() is one line that names the file. The other pictures are not affected.
struct picture_failure : std::runtime_error {
  using std::runtime_error::runtime_error;
  picture_failure() : std::runtime_error("") {}  // for serialisation, as it comes back from workers

  template <class Archive>
  void serialize(Archive&, unsigned) {}
};

/// A result does not stand --verify.
struct wrong_picture : picture_failure {
  using picture_failure::picture_failure;
};

/// The message for a picture whose result must not replace a file.
std::string result_exists(const picture_files& files);

/// Writes the result into the file of `files.target`. Throws: picture_failure; no file is left then.
picture_result process_picture(const picture_settings& settings, const picture_files& files);

/// Throws what the exception that is being handled means for a picture. `layout` is empty if it was not yet known.
/// Throws: picture_failure; an error of the pool as it is, such as stopped_error, because it is not one of the picture.
[[noreturn]] void rethrow_as_failure(const picture_files& files, const picture_layout& layout);

}  // namespace jobs

// One picture from a file to a file by one worker, strip by strip: what a folder of pictures is made of.
#pragma once

#include <cstdint>
#include <string>

#include "image/operation.hpp"
#include "image/picture_encoder.hpp"

namespace jobs {

struct picture_files {
  std::string input;
  std::string output;
  int format = -1;  // a picture_format; -1: that of the input

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& input& output& format;
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
  bool replace = false;
  bool verify = false;

  encoding encode_as(picture_format format) const { return {format, quality, compression}; }
  /// Throws: picture_error if the result cannot be written so.
  encoding encoding_for(const picture_files& files, const picture_reader& from) const;
  /// Some 1 MiB of rows, more where the halo would be most of what is read; whatever `rows` says, no more than 1 GiB of them.
  std::uint32_t strip_rows_for(const picture_layout& layout, picture_format to) const;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& what& quality& compression& split_from& rows& replace& verify;
  }
};

struct picture_outcome {
  enum class kind { done, failed, wrong, left };  // wrong: it does not stand --verify; left: large enough to be split
  kind how = kind::done;
  std::string problem;  // names the file
  std::uint64_t pixels = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& how& problem& pixels;
  }
};

/// Whatever goes wrong becomes the outcome; no output is named then.
picture_outcome process_picture(const picture_settings& settings, const picture_files& files);

/// What the exception that is being handled means for a picture: one line that names its file. `layout` is empty if it was not yet
/// known. Throws: what is no std::exception.
picture_outcome failure(const picture_files& files, const picture_layout& layout);

}  // namespace jobs

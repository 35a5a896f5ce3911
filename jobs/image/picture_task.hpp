// The task for a folder of pictures: one worker processes one picture from input file to output file, strip by strip.
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
  int format = -1;                 // a picture_format; -1: the format of the input
  rankpool::item_target target{};  // where the worker writes `output`, unless that is a stream

  bool is_stream() const { return target.path().empty(); }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& input& output& format& target;
  }
  picture_format format_for(picture_format of_input) const { return format < 0 ? of_input : static_cast<picture_format>(format); }
};

/// The settings that all pictures of a run share.
struct picture_settings {
  operation what;
  int quality = 92;
  int compression = 4;
  std::uint64_t split_from = 0;  // pictures of at least this many pixels are skipped, to be split among all workers; 0: none
  std::uint64_t rows = 0;        // rows per strip; 0: chosen automatically
  bool verify = false;

  encoding encode_as(picture_format format) const { return {format, quality, compression}; }
  /// Returns the encoding of the result. Throws: picture_error if the format cannot store the picture.
  encoding encoding_for(const picture_files& files, const picture_reader& from) const;
  /// Returns the rows per strip: about 1 MiB, more if the halo would dominate; never more than 1 GiB, even if `rows` asks for it.
  std::uint32_t strip_rows_for(const picture_layout& layout, picture_format to) const;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& what& quality& compression& split_from& rows& verify;
  }
};

struct picture_result {
  std::uint64_t pixels = 0;
  bool is_left = false;              // the picture is large enough to be split; no file was written
  rankpool::file_version version{};  // version of the result

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& pixels& is_left& version;
  }
};

/// Reports a picture that was not processed. what() is one line that names the file. Other pictures are not affected.
struct picture_failure : std::runtime_error {
  using std::runtime_error::runtime_error;
  picture_failure() : std::runtime_error("") {}  // required to deserialize the exception from a worker

  template <class Archive>
  void serialize(Archive&, unsigned) {}
};

/// Reports a result whose verification failed.
struct wrong_picture : picture_failure {
  using picture_failure::picture_failure;
};

/// Returns the message for a picture whose result would overwrite an existing file without --force.
std::string result_exists(const picture_files& files);

/// Processes one picture and writes the file of `files.target`. Throws: picture_failure; the output file is removed first.
picture_result process_picture(const picture_settings& settings, const picture_files& files);

/// Converts the exception that is being handled into a picture_failure and throws it. `layout` is empty if it is not yet known.
/// Throws: picture_failure; errors of the pool, such as stopped_error, are rethrown unchanged.
[[noreturn]] void rethrow_as_failure(const picture_files& files, const picture_layout& layout);

}  // namespace jobs

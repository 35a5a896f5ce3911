// Helpers for picture tests: random pictures, reading, writing, and a temporary folder.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "image/filters.hpp"
#include "image/picture_encoder.hpp"
#include "image/picture_reader.hpp"
#include "image/split_picture.hpp"
#include "image/strip_stream.hpp"
#include "support/scratch_directory.hpp"

namespace pictures {

namespace fs = std::filesystem;
using jobs::operation;
using jobs::operation_kind;
using jobs::picture_format;
using jobs::picture_layout;
using jobs::strip_rows;

struct picture_folder : support::scratch_directory {
  std::string put(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }
};

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline jobs::strip_samples random_samples(const picture_layout& layout, unsigned seed) {
  std::mt19937 random(seed);
  jobs::strip_samples samples(layout.row_bytes() * layout.height);
  for (auto& byte : samples) byte = static_cast<std::uint8_t>(random() % 5 == 0 ? 255 * (random() % 2) : random());
  return samples;
}

/// Processes a picture and returns the error message; empty on success. Replaces an existing result.
inline std::string problem_of(const jobs::picture_settings& settings, jobs::picture_files files) {
  files.target = rankpool::result_files({}, {.overwrite = true}).target(files.output);
  try {
    (void)jobs::process_picture(settings, files);
    return {};
  } catch (const jobs::picture_failure& failure) {
    return failure.what();
  }
}

/// Processes a picture in strips on the pool and returns the error message; empty on success.
inline std::string problem_of_split(
    rankpool::executor& pool, const jobs::picture_settings& settings, jobs::picture_files files,
    const std::function<void(std::uint64_t, std::uint64_t)>& strips_done = [](std::uint64_t, std::uint64_t) {}) {
  files.target = rankpool::result_files().target(files.output);
  try {
    (void)jobs::split_picture(pool, {}, true, settings, files, strips_done);
    return {};
  } catch (const jobs::picture_failure& failure) {
    return failure.what();
  }
}

/// Returns a picture file that is encoded in strips of `rows` rows.
inline std::string encoded(const jobs::encoding& how, const picture_layout& layout, const jobs::strip_samples& samples,
                           std::uint32_t rows, const std::string& metadata = {}) {
  jobs::picture_joiner joiner(how, layout, metadata);
  std::string file = joiner.start();
  for (std::uint32_t first = 0; first < layout.height; first += rows) {
    file +=
        joiner.part(jobs::encode_strip(how, strip_rows::at(layout, first, rows, 0), samples.data() + first * layout.row_bytes()));
  }
  return file + joiner.end();
}

inline jobs::strip_samples decoded(const std::string& path) {
  const auto reader = jobs::open_picture(path);
  const std::size_t row_bytes = reader->layout().row_bytes();
  jobs::strip_samples samples(row_bytes * reader->layout().height);
  for (std::size_t y = 0; y < reader->layout().height; ++y) reader->read_row(samples.data() + y * row_bytes);
  reader->finish();
  return samples;
}

inline std::vector<operation> all_operations() {
  return {{operation_kind::grayscale, 0, {}},
          {operation_kind::sobel, 0, {}},
          {operation_kind::box, 1, {}},
          {operation_kind::box, 9, {}},
          {operation_kind::gaussian, 4, jobs::gaussian_weights(1.3, 4)},
          {operation_kind::gaussian, 11, jobs::gaussian_weights(3.7, 11)}};
}

const picture_layout small_rgb{33, 290, 3, 8};

}  // namespace pictures

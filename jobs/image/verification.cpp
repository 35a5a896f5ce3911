#include "image/verification.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>

#include "image/filters.hpp"
#include "image/strip_stream.hpp"

namespace jobs {
namespace {

using wide = unsigned __int128;

struct pixel_source {
  const strip_rows& strip;
  const std::uint8_t* samples;

  std::uint32_t at(std::int64_t x, std::int64_t y, std::uint32_t channel) const {
    const picture_layout& layout = strip.layout;
    x = std::clamp<std::int64_t>(x, 0, std::int64_t{layout.width} - 1);
    y = std::clamp<std::int64_t>(y, 0, std::int64_t{layout.height} - 1);
    const std::int64_t row = y - (std::int64_t{strip.first} - strip.above);
    const std::size_t i =
        static_cast<std::size_t>(row) * layout.row_samples() + static_cast<std::size_t>(x) * layout.channels + channel;
    return layout.bits == 8 ? samples[i] : reinterpret_cast<const std::uint16_t*>(samples)[i];
  }

  std::uint32_t gray(std::int64_t x, std::int64_t y) const {
    if (strip.layout.colors() == 1) return at(x, y, 0);
    const std::uint64_t sum =
        std::uint64_t{luma_red} * at(x, y, 0) + std::uint64_t{luma_green} * at(x, y, 1) + std::uint64_t{luma_blue} * at(x, y, 2);
    return static_cast<std::uint32_t>((sum + 32768) / 65536);
  }
};

std::uint32_t sobel_by_definition(const pixel_source& from, std::int64_t x, std::int64_t y) {
  constexpr std::int64_t kernel[3][3] = {{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}};
  std::int64_t across = 0, along = 0;
  for (int j = 0; j < 3; ++j) {
    for (int i = 0; i < 3; ++i) {
      const std::int64_t value = from.gray(x + i - 1, y + j - 1);
      across += kernel[j][i] * value;
      along += kernel[i][j] * value;
    }
  }
  const std::int64_t largest = from.strip.layout.bits == 8 ? 255 : 65'535;
  // Finds the largest value v for which v - 1/2 is at most the gradient magnitude l: 4 l² >= (2v - 1)².
  const std::int64_t four_squares = 4 * (across * across + along * along);
  std::int64_t low = 0, high = largest;
  while (low < high) {
    const std::int64_t middle = (low + high + 1) / 2;
    if ((2 * middle - 1) * (2 * middle - 1) <= four_squares) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return static_cast<std::uint32_t>(low);
}

std::uint32_t blur_by_definition(const operation& what, const pixel_source& from, std::int64_t x, std::int64_t y,
                                 std::uint32_t channel) {
  const std::int64_t radius = what.radius;
  const auto weight = [&](std::int64_t k) {
    return what.kind == operation_kind::box ? std::uint64_t{1} : std::uint64_t{what.weights[static_cast<std::size_t>(std::abs(k))]};
  };
  const picture_layout& layout = from.strip.layout;
  const bool is_weighted = layout.has_alpha() && channel + 1 < layout.channels;
  wide sum = 0, total = 0;
  for (std::int64_t j = -radius; j <= radius; ++j) {
    for (std::int64_t i = -radius; i <= radius; ++i) {
      std::uint64_t share = weight(i) * weight(j);
      if (is_weighted) share *= from.at(x + i, y + j, layout.channels - 1);
      sum += wide{share} * from.at(x + i, y + j, channel);
      total += share;
    }
  }
  return total == 0 ? 0 : static_cast<std::uint32_t>((2 * sum + total) / (2 * total));
}

}  // namespace

std::uint32_t sample_by_definition(const operation& what, const strip_rows& strip, const std::uint8_t* samples, std::uint32_t x,
                                   std::uint32_t y, std::uint32_t channel) {
  const pixel_source from{strip, samples};
  const picture_layout& layout = strip.layout;
  const std::int64_t row = std::int64_t{strip.first} + y;
  if (!what.makes_gray()) return blur_by_definition(what, from, x, row, channel);
  if (channel == 1) return from.at(x, row, layout.channels - 1);
  return what.kind == operation_kind::grayscale ? from.gray(x, row) : sobel_by_definition(from, x, row);
}

namespace {

/// Compares pixels at both edges and at some places between them, in the first row, the last and a random one.
std::string difference_at_samples(const operation& what, const strip_stream& in, const pixel_source& found,
                                  std::minstd_rand& random) {
  const picture_layout& layout = found.strip.layout;
  const std::uint32_t rows = in.strip().rows;
  for (const std::uint32_t y : {std::uint32_t{0}, static_cast<std::uint32_t>(random() % rows), rows - 1}) {
    for (int place = 0; place < 8; ++place) {
      const std::uint32_t x = place == 0 ? 0 : place == 1 ? layout.width - 1 : static_cast<std::uint32_t>(random() % layout.width);
      for (std::uint32_t channel = 0; channel < layout.channels; ++channel) {
        const std::uint32_t row = in.strip().first + y;
        const std::uint32_t value = sample_by_definition(what, in.strip(), in.samples(), x, y, channel);
        const std::uint32_t got = found.at(x, row, channel);
        if (got == value) continue;
        return "at column " + std::to_string(x) + ", row " + std::to_string(row) + ", channel " + std::to_string(channel) + " is " +
               std::to_string(got) + " and should be " + std::to_string(value);
      }
    }
  }
  return {};
}

bool goes_on_with(std::ifstream& file, const std::string& expected) {
  std::string found(expected.size(), '\0');
  file.read(found.data(), static_cast<std::streamsize>(found.size()));
  return file && found == expected;
}

}  // namespace

std::string difference(const picture_settings& settings, const picture_files& files, const std::string& written) {
  const auto input = open_picture(files.input);
  const auto output = open_picture(written);
  const operation& what = settings.what;
  const picture_layout result = what.result_of(input->layout());
  const bool is_lossy = output->format() == picture_format::jpeg;
  picture_layout expected = result;
  if (is_lossy) expected.bits = 8;
  if (output->layout() != expected) return files.output + ": has a wrong size or a wrong number of channels";

  const encoding how = settings.encode_as(output->format());
  picture_joiner joiner(how, result, kept_metadata(*input, how, result));
  std::ifstream bytes(written, std::ios::binary);
  const std::uint32_t rows = settings.strip_rows_for(input->layout(), how.format);
  strip_stream in(*input, rows, what.halo()), out(*output, rows, 0);
  std::minstd_rand random(result.width + 31 * result.height);
  while (in.next() && out.next()) {
    const strip_rows strip{result, in.strip().first, in.strip().rows};
    const strip_samples filtered = is_lossy ? filter_strip(what, in.strip(), in.samples()) : strip_samples();
    std::string wrong = difference_at_samples(what, in, {strip, is_lossy ? filtered.data() : out.samples()}, random);
    if (!wrong.empty()) return files.output + ": " + wrong;
    if (is_lossy && !goes_on_with(bytes, joiner.part(encode_strip(how, strip, filtered.data())))) {
      return files.output + ": differs from the encoding of its pixels, from row " + std::to_string(strip.first) + " on";
    }
  }
  return {};
}

}  // namespace jobs

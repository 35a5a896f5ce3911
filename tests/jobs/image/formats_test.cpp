// Tests picture files: every format preserves the pixels, and damage is an error.
#include <zlib.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pictures.hpp"
#include "support/catch.hpp"

using namespace pictures;

TEST_CASE("lossless formats are read back unchanged, in strips of any height") {
  const picture_folder folder;
  for (const auto format : {picture_format::png, picture_format::pnm}) {
    for (const std::uint32_t channels : {1, 2, 3, 4}) {
      for (const std::uint32_t bits : {8, 16}) {
        const picture_layout layout{19, 37, channels, bits};
        if (format == picture_format::pnm && layout.has_alpha()) continue;
        const auto samples = random_samples(layout, channels);
        for (const std::uint32_t rows : {1U, 16U, 37U}) {
          const std::string path = folder.put("picture", encoded({format}, layout, samples, rows));
          CHECK(jobs::open_picture(path)->layout() == layout);
          CHECK(decoded(path) == samples);
        }
      }
    }
  }
}

TEST_CASE("a JPEG has the same bytes for every division, and nearly the original pixels") {
  const picture_folder folder;
  for (const int quality : {92, 60}) {  // with full and with half chroma resolution
    jobs::strip_samples samples(small_rgb.row_bytes() * small_rgb.height);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::uint8_t>(i % 99 + i / 2000);
    const jobs::encoding how{picture_format::jpeg, quality};
    const std::string whole = encoded(how, small_rgb, samples, 384);
    CHECK(encoded(how, small_rgb, samples, 128) == whole);
    CHECK(encoded(how, small_rgb, samples, 256) == whole);
    const auto read = decoded(folder.put("a.jpg", whole));
    REQUIRE(read.size() == samples.size());
    double error = 0;
    for (std::size_t i = 0; i < read.size(); ++i) error += std::abs(read[i] - samples[i]);
    CHECK(error / static_cast<double>(read.size()) < 6);
  }
}

TEST_CASE("a picture that ends early is an error, wherever it ends") {
  const picture_folder folder;
  const picture_layout layout{5, 6, 3, 8};
  const auto samples = random_samples(layout, 3);
  for (const auto format : {picture_format::png, picture_format::jpeg, picture_format::pnm}) {
    const std::string whole = encoded({format}, layout, samples, 128);
    REQUIRE_NOTHROW(decoded(folder.put("whole", whole)));
    std::size_t accepted = 0;
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      const std::string path = folder.put("cut", whole.substr(0, bytes));
      accepted += !problem_of({}, {path, folder.file("out")}).starts_with(path + ": ");
    }
    CHECK(accepted == 0);
  }
  CHECK(folder.files() == 2);  // neither an output nor an unfinished file
}

TEST_CASE("opening a picture reads only its header, even if its pixels must be decoded as a whole") {
  const picture_folder folder;
  using namespace std::string_literals;
  const std::string interlaced_png =
      "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\x0f\x42\x40\0\x0f\x42\x40\x10\6\0\0\1\x7b\xfa\xd4\xa8\0\0\0\0IDAT\x35\xaf\6\x1e"s;
  const std::string progressive_jpeg =
      "\xff\xd8\xff\xc2\0\x11\x08\xff\xdc\xff\xdc\3\1\x11\0\2\x11\0\3\x11\0\xff\xda\0\x0c\3\1\0\2\0\3\0\0\0\0"s;
  CHECK(jobs::open_picture(folder.put("a", interlaced_png))->layout() == picture_layout{1'000'000, 1'000'000, 4, 16});
  CHECK(jobs::open_picture(folder.put("b", progressive_jpeg))->layout() == picture_layout{65'500, 65'500, 3, 8});
}

TEST_CASE("damage within a PNG is an error") {
  const picture_folder folder;
  const picture_layout layout{9, 20, 3, 8};
  const std::string whole = encoded({picture_format::png}, layout, random_samples(layout, 3), 20);
  for (std::size_t i = 60; i < whole.size(); i += 7) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    CHECK_THROWS_AS(decoded(folder.put("damaged", damaged)), jobs::picture_error);
  }
}

TEST_CASE("damage in the metadata of a PNG is an error") {
  const picture_folder folder;
  const std::string density("\0\0\0\x09pHYs\0\0\x0b\x13\0\0\x0b\x13\1\0\x9a\x9c\x18", 21);
  const picture_layout layout{9, 20, 3, 8};
  const std::string whole = encoded({picture_format::png}, layout, random_samples(layout, 3), 20);
  for (const std::size_t place : {std::size_t{33}, whole.size() - 12}) {  // after the header and before the end
    std::string damaged = whole;
    damaged.insert(place, density);
    const std::size_t at = damaged.find("pHYs") + 4;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    const std::string input = folder.put("in.png", damaged);
    CHECK_THAT(problem_of({.what = {operation_kind::box, 1, {}}}, {input, folder.file("out.png")}),
               support::containing("in.png: is damaged or not supported: pHYs: CRC error"));
  }
  CHECK(folder.files() == 1);
}

TEST_CASE("PNM headers and values are read in every form") {
  const picture_folder folder;
  const auto read = [&](const std::string& bytes) { return decoded(folder.put("a.pnm", bytes)); };
  using samples = jobs::strip_samples;
  CHECK(read("P2\n# made by hand\n3 1 # wide\n100\n0 50\n100") == samples{0, 128, 255});
  CHECK(read("P1\n3 2\n101\n0 1 0") == samples{0, 255, 0, 255, 0, 255});
  CHECK(read(std::string("P4 9 1\n\x80\x80", 9)) == samples{0, 255, 255, 255, 255, 255, 255, 255, 0});
  CHECK(read("P5\r2 1 255\nA\n") == samples{'A', '\n'});
  CHECK(read("P3 1 1 255 1 2 3\n# the end\n") == samples{1, 2, 3});
  CHECK(read("P5 1 1 1000\n\x03\xe8") == samples{0xff, 0xff});
  for (const char* const wrong : {"P5", "P5 1", "P5 0 1 255\nA", "P5 1 1 0\nA", "P5 1 1 65536\nAB", "P5 -1 1 255\nA", "P5 1 1 255",
                                  "P2 1 1 9\n10", "P2 2 1 9\n1", "P1 1 1\n2", "P5 99999999 99999999 255\nA",
                                  "P5 99999999999999999999 1 255\nA", "P3 99999999 99999999 255\n1", "P5 1 1 9\nA"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(read(wrong), jobs::picture_error);
  }
}

TEST_CASE("color profiles and densities are kept, except for the profile of a picture that becomes gray") {
  const picture_folder folder;
  const std::string density("\0\0\0\x09pHYs\0\0\x0b\x13\0\0\x0b\x13\1\0\x9a\x9c\x18", 21);
  const picture_layout layout{4, 4, 3, 8};
  const auto samples = random_samples(layout, 1);
  const std::string input = folder.put("in.png", encoded({picture_format::png}, layout, samples, 4, density));
  REQUIRE(problem_of({.what = {operation_kind::box, 1, {}}}, {input, folder.file("out.png")}).empty());
  CHECK_THAT(content(folder.file("out.png")), support::containing("pHYs"));

  const std::string exif(
      "\xff\xe1\0\x08"
      "Exif\0\0",
      10),
      profile(
          "\xff\xe2\0\x06"
          "abcd",
          8);
  const std::string jpeg = folder.put("in.jpg", encoded({picture_format::jpeg}, layout, samples, 128, exif + profile));
  REQUIRE(problem_of({.what = {operation_kind::box, 1, {}}}, {jpeg, folder.file("blurred.jpg")}).empty());
  CHECK(content(folder.file("blurred.jpg")).find(exif + profile) != std::string::npos);
  REQUIRE(problem_of({}, {jpeg, folder.file("gray.jpg")}).empty());
  CHECK(content(folder.file("gray.jpg")).find(exif) != std::string::npos);
  CHECK(content(folder.file("gray.jpg")).find(profile) == std::string::npos);
}

namespace {

using namespace std::string_literals;

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string covered = type + data;
  const auto* const bytes = reinterpret_cast<const Bytef*>(covered.data());
  return big_endian(static_cast<std::uint32_t>(data.size())) + covered +
         big_endian(static_cast<std::uint32_t>(::crc32_z(0, bytes, covered.size())));
}

/// Returns a PNG of one row with a palette of red, green and blue. `data`: rows, each preceded by the number of its filter.
std::string palette_png(std::uint32_t width, char bits, bool interlaced, const std::string& data, const std::string& alphas = {}) {
  std::string packed(64, '\0');
  uLongf size = packed.size();
  REQUIRE(::compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(data.data()), data.size()) ==
          Z_OK);
  packed.resize(size);
  return "\x89PNG\r\n\x1a\n" +
         png_chunk("IHDR", big_endian(width) + big_endian(1) + bits + "\3\0\0"s + (interlaced ? '\1' : '\0')) +
         png_chunk("PLTE", "\xff\0\0\0\xff\0\0\0\xff"s) + (alphas.empty() ? ""s : png_chunk("tRNS", alphas)) +
         png_chunk("IDAT", packed) + png_chunk("IEND", "");
}

}  // namespace

TEST_CASE("a PNG with a palette has the colors of its palette, and an index beyond it is an error") {
  const picture_folder folder;
  const auto read = [&](const std::string& bytes) { return decoded(folder.put("a.png", bytes)); };
  using samples = jobs::strip_samples;
  const samples red_green_blue{255, 0, 0, 0, 255, 0, 0, 0, 255};
  CHECK(read(palette_png(3, 2, false, "\0\x18"s)) == red_green_blue);
  CHECK(read(palette_png(3, 8, false, "\0\0\1\2"s)) == red_green_blue);
  CHECK(read(palette_png(3, 2, true, "\0\0\0\x80\0\x40"s)) == red_green_blue);  // passes: the first, third, second pixel
  CHECK(read(palette_png(2, 4, false, "\0\x02"s, "\x80"s)) == samples{255, 0, 0, 128, 0, 0, 255, 255});
  for (const std::string& wrong : {palette_png(3, 2, false, "\0\x1c"s), palette_png(3, 8, false, "\0\0\xc8\2"s),
                                   palette_png(3, 2, true, "\0\0\0\xc0\0\x40"s), palette_png(2, 4, false, "\0\x03"s, "\x80"s)}) {
    CHECK_THROWS_WITH(read(wrong), support::containing("but its palette has 3 colors"));
  }
}

TEST_CASE("a file of several pictures is an error, in every format") {
  const picture_folder folder;
  const picture_layout layout{5, 6, 3, 8};
  const auto samples = random_samples(layout, 3);
  const auto refused = [&](const std::string& bytes) {
    return problem_of({}, {folder.put("in", bytes), folder.file("out")}).ends_with("split it into files of one picture each");
  };
  for (const auto format : {picture_format::png, picture_format::jpeg, picture_format::pnm}) {
    const std::string one = encoded({format}, layout, samples, 128);
    CHECK_FALSE(refused(one));
    CHECK(refused(one + one));
  }
  std::string animated = encoded({picture_format::png}, layout, samples, 128);
  animated.insert(33, png_chunk("acTL", big_endian(2) + big_endian(0)));
  CHECK(refused(animated));
  for (const char* const several :
       {"P2 1 1 9 5 P2 1 1 9 5", "P3 1 1 255 1 2 3 4 5 6", "P1 1 1 1 P1 1 1 1", "P5 1 1 255\nA P5 1 1 255\nB"})
    CHECK(refused(several));
  CHECK_FALSE(refused("P5 1 1 255\nA\n"));
}

TEST_CASE("a JPEG whose index lists further views is an error; previews and gain maps belong to the first picture") {
  const picture_folder folder;
  const picture_layout layout{5, 6, 3, 8};
  const auto with_index = [&](std::uint32_t type_of_second) {
    const std::string entry_rest(12, '\0');
    const std::string index = "MPF\0MM\0\x2a\0\0\0\x08\0\1\xb0\2\0\7\0\0\0\x20\0\0\0\x1a\0\0\0\0"s + big_endian(0x030000) +
                              entry_rest + big_endian(type_of_second) + entry_rest;
    const std::string segment = "\xff\xe2\0"s + static_cast<char>(index.size() + 2) + index;
    const std::string first = encoded({picture_format::jpeg}, layout, random_samples(layout, 1), 128, segment);
    return folder.put("in.jpg", first + encoded({picture_format::jpeg}, layout, random_samples(layout, 2), 128));
  };
  const std::string first = encoded({picture_format::jpeg}, layout, random_samples(layout, 1), 128);
  for (const std::uint32_t view : {0x020001U, 0x020002U, 0x020003U})
    CHECK_THROWS_WITH(decoded(with_index(view)), support::containing("a JPEG of several pictures"));
  for (const std::uint32_t part : {0U, 0x010001U, 0x050000U}) {
    const std::string input = with_index(part);
    CHECK(decoded(input) == decoded(folder.put("first.jpg", first)));
    REQUIRE(problem_of({.what = {operation_kind::box, 1, {}}}, {input, folder.file("out.jpg"), -1}).empty());
    CHECK(content(folder.file("out.jpg")).find("MPF") == std::string::npos);
    fs::remove(folder.file("out.jpg"));
  }
}

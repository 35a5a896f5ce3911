// Pictures: filters against their definition, files against what was put in, and inputs that break naive code.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "image/filters.hpp"
#include "image/picture_encoder.hpp"
#include "image/picture_names.hpp"
#include "image/picture_reader.hpp"
#include "image/split_picture.hpp"
#include "image/strip_stream.hpp"
#include "image/verification.hpp"
#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/command.hpp"

namespace {

namespace fs = std::filesystem;
using jobs::operation;
using jobs::operation_kind;
using jobs::picture_format;
using jobs::picture_layout;
using jobs::picture_outcome;
using jobs::strip_rows;

struct picture_folder {
  fs::path path;
  picture_folder() {
    std::string name = (fs::temp_directory_path() / "rankpool-image-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~picture_folder() { fs::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::string put(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

jobs::strip_samples random_samples(const picture_layout& layout, unsigned seed) {
  std::mt19937 random(seed);
  jobs::strip_samples samples(layout.row_bytes() * layout.height);
  for (auto& byte : samples) byte = static_cast<std::uint8_t>(random() % 5 == 0 ? 255 * (random() % 2) : random());
  return samples;
}

/// The file of a picture, encoded in strips of so many rows.
std::string encoded(const jobs::encoding& how, const picture_layout& layout, const jobs::strip_samples& samples, std::uint32_t rows,
                    const std::string& metadata = {}) {
  jobs::picture_joiner joiner(how, layout, metadata);
  std::string file = joiner.start();
  for (std::uint32_t first = 0; first < layout.height; first += rows) {
    file +=
        joiner.part(jobs::encode_strip(how, strip_rows::at(layout, first, rows, 0), samples.data() + first * layout.row_bytes()));
  }
  return file + joiner.end();
}

jobs::strip_samples decoded(const std::string& path) {
  const auto reader = jobs::open_picture(path);
  const std::size_t row_bytes = reader->layout().row_bytes();
  jobs::strip_samples samples(row_bytes * reader->layout().height);
  for (std::size_t y = 0; y < reader->layout().height; ++y) reader->read_row(samples.data() + y * row_bytes);
  reader->finish();
  return samples;
}

std::vector<operation> all_operations() {
  return {{operation_kind::grayscale, 0, {}},
          {operation_kind::sobel, 0, {}},
          {operation_kind::box, 1, {}},
          {operation_kind::box, 9, {}},
          {operation_kind::gaussian, 4, jobs::gaussian_weights(1.3, 4)},
          {operation_kind::gaussian, 11, jobs::gaussian_weights(3.7, 11)}};
}

const picture_layout small_rgb{33, 290, 3, 8};

}  // namespace

TEST_CASE("every filter gives each pixel what its definition says, for all layouts and sizes, however the rows are divided") {
  for (const std::uint32_t channels : {1, 2, 3, 4}) {
    for (const std::uint32_t bits : {8, 16}) {
      for (const auto& [width, height] : {std::pair{1U, 1U}, {1U, 7U}, {6U, 1U}, {13U, 17U}}) {
        const picture_layout layout{width, height, channels, bits};
        const auto samples = random_samples(layout, width * height + channels);
        for (const operation& what : all_operations()) {
          CAPTURE(static_cast<int>(what.kind), what.radius, channels, bits, width, height);
          const strip_rows whole = strip_rows::at(layout, 0, height, 0);
          const auto result = jobs::filter_strip(what, whole, samples.data());
          const picture_layout shape = what.result_of(layout);
          REQUIRE(result.size() == shape.row_bytes() * height);
          std::size_t wrong = 0, i = 0;
          for (std::uint32_t y = 0; y < height; ++y) {
            for (std::uint32_t x = 0; x < width; ++x) {
              for (std::uint32_t c = 0; c < shape.channels; ++c, ++i) {
                const std::uint32_t got = bits == 8 ? result[i] : reinterpret_cast<const std::uint16_t*>(result.data())[i];
                wrong += got != jobs::sample_by_definition(what, whole, samples.data(), x, y, c);
              }
            }
          }
          CHECK(wrong == 0);
          for (const std::uint32_t rows : {1U, 4U}) {
            jobs::strip_samples joined;
            for (std::uint32_t first = 0; first < height; first += rows) {
              const strip_rows strip = strip_rows::at(layout, first, rows, what.halo());
              const auto part = jobs::filter_strip(what, strip, samples.data() + (first - strip.above) * layout.row_bytes());
              joined.insert(joined.end(), part.begin(), part.end());
            }
            CHECK(joined == result);
          }
        }
      }
    }
  }
}

TEST_CASE("known pixels: a mean, a gradient, a gray") {
  const picture_layout gray{3, 3, 1, 8};
  const jobs::strip_samples step{0, 0, 90, 0, 0, 90, 0, 0, 90};
  const strip_rows whole = strip_rows::at(gray, 0, 3, 0);
  CHECK(jobs::filter_strip({operation_kind::box, 1, {}}, whole, step.data()) ==
        jobs::strip_samples{0, 30, 60, 0, 30, 60, 0, 30, 60});
  CHECK(jobs::filter_strip({operation_kind::sobel, 0, {}}, whole, step.data()) ==
        jobs::strip_samples{0, 255, 255, 0, 255, 255, 0, 255, 255});
  const jobs::strip_samples colors{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  const strip_rows four = strip_rows::at({4, 1, 3, 8}, 0, 1, 0);
  CHECK(jobs::filter_strip({operation_kind::grayscale, 0, {}}, four, colors.data()) == jobs::strip_samples{54, 182, 18, 255});
}

TEST_CASE("the colour of transparent pixels does not shine through a blur") {
  const picture_layout layout{2, 1, 4, 8};
  const jobs::strip_samples samples{200, 100, 50, 255, 1, 255, 255, 0};
  const auto blurred = jobs::filter_strip({operation_kind::box, 1, {}}, strip_rows::at(layout, 0, 1, 0), samples.data());
  CHECK(blurred == jobs::strip_samples{200, 100, 50, 170, 200, 100, 50, 85});
}

TEST_CASE("the weights of a Gaussian add up and fall off") {
  for (const double sigma : {0.1, 0.5, 1.0, 2.0, 17.0, 60.0, 128.0, 205.5, 333.0}) {
    const auto radius = static_cast<std::uint32_t>(3 * sigma) + 1;
    const auto weights = jobs::gaussian_weights(sigma, radius);
    CHECK(2 * std::accumulate(weights.begin() + 1, weights.end(), 0U) + weights[0] == operation::weights_total);
    CHECK(std::is_sorted(weights.rbegin(), weights.rend()));
  }
}

TEST_CASE("a Gaussian is within one level of what doubles give, and its middle takes no other weight's rounding") {
  for (const double sigma : {0.5, 1.3, 3.7, 17.0, 60.0}) {
    CAPTURE(sigma);
    const auto radius = static_cast<std::uint32_t>(3 * sigma) + 1;
    const operation what{operation_kind::gaussian, radius, jobs::gaussian_weights(sigma, radius)};
    std::vector<double> bell;  // each tap by itself
    for (std::int64_t k = -std::int64_t{radius}; k <= radius; ++k) {
      const auto at = [&](double x) { return std::exp(-x * x / (2 * sigma * sigma)); };
      const auto x = static_cast<double>(k);
      bell.push_back(at(x - 1. / 3) + at(x) + at(x + 1. / 3));
    }
    const double total = std::accumulate(bell.begin(), bell.end(), 0.0);
    const picture_layout layout{3 * radius, 1, 1, 16};  // of one row: what goes on above and below is the same
    for (const bool is_dot : {true, false}) {
      jobs::strip_samples samples = is_dot ? jobs::strip_samples(layout.row_bytes()) : random_samples(layout, radius);
      auto* const pixels = reinterpret_cast<std::uint16_t*>(samples.data());
      if (is_dot) pixels[layout.width / 2] = 65535;
      const auto blurred = jobs::filter_strip(what, strip_rows::at(layout, 0, 1, 0), samples.data());
      double furthest = 0;
      for (std::int64_t x = 0; x < layout.width; ++x) {
        double sum = 0;
        for (std::size_t k = 0; k < bell.size(); ++k) {
          const auto from = std::clamp<std::int64_t>(x + static_cast<std::int64_t>(k) - radius, 0, layout.width - 1);
          sum += bell[k] * pixels[from];
        }
        furthest = std::max(furthest, std::abs(reinterpret_cast<const std::uint16_t*>(blurred.data())[x] - sum / total));
      }
      CHECK(furthest <= (is_dot ? 1.5 : 257));  // one level of 16 bits where one weight counts, of 8 bits where all do
    }
  }
}

TEST_CASE("a uniform picture stays what it is") {
  const picture_layout layout{40, 30, 1, 16};
  jobs::strip_samples samples(layout.row_bytes() * layout.height, 0xff);
  for (const operation& what : all_operations()) {
    if (what.kind != operation_kind::sobel)
      CHECK(jobs::filter_strip(what, strip_rows::at(layout, 0, 30, 0), samples.data()) == samples);
  }
}

TEST_CASE("what is written without loss is read back the same, in strips of any height") {
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

TEST_CASE("a JPEG has the same bytes however it was divided, and nearly the pixels that it was made of") {
  const picture_folder folder;
  for (const int quality : {92, 60}) {  // colours in full and in half resolution
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
      const auto outcome = jobs::process_picture({}, {path, folder.file("out")});
      const bool named = outcome.problem.starts_with(path + ": ");
      accepted += outcome.how != picture_outcome::kind::failed || !named;
    }
    CHECK(accepted == 0);
  }
  CHECK(folder.files() == 2);  // no output, and nothing unfinished
}

TEST_CASE("to open a picture reads its header alone, also where pixels have to be decoded whole") {
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

TEST_CASE("damage beside the pixels of a PNG is an error, too, and is not copied") {
  const picture_folder folder;
  const std::string density("\0\0\0\x09pHYs\0\0\x0b\x13\0\0\x0b\x13\1\0\x9a\x9c\x18", 21);
  const picture_layout layout{9, 20, 3, 8};
  const std::string whole = encoded({picture_format::png}, layout, random_samples(layout, 3), 20);
  for (const std::size_t place : {std::size_t{33}, whole.size() - 12}) {  // after the header, before the end
    std::string damaged = whole;
    damaged.insert(place, density);
    const std::size_t at = damaged.find("pHYs") + 4;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    const std::string input = folder.put("in.png", damaged);
    CHECK_THAT(jobs::process_picture({.what = {operation_kind::box, 1, {}}}, {input, folder.file("out.png")}).problem,
               support::containing("in.png: is damaged or not supported: pHYs: CRC error"));
  }
  CHECK(folder.files() == 1);
}

TEST_CASE("PNM headers and values in all their forms") {
  const picture_folder folder;
  const auto read = [&](const std::string& bytes) { return decoded(folder.put("a.pnm", bytes)); };
  using samples = jobs::strip_samples;
  CHECK(read("P2\n# made by hand\n3 1 # wide\n100\n0 50\n100") == samples{0, 128, 255});
  CHECK(read("P1\n3 2\n101\n0 1 0") == samples{0, 255, 0, 255, 0, 255});
  CHECK(read(std::string("P4 9 1\n\x80\x80", 9)) == samples{0, 255, 255, 255, 255, 255, 255, 255, 0});
  CHECK(read("P5\r2 1 255\nA\n") == samples{'A', '\n'});
  CHECK(read("P3 1 1 255 1 2 3 4 5 6") == samples{1, 2, 3});
  CHECK(read("P5 1 1 1000\n\x03\xe8") == samples{0xff, 0xff});
  for (const char* const wrong : {"P5", "P5 1", "P5 0 1 255\nA", "P5 1 1 0\nA", "P5 1 1 65536\nAB", "P5 -1 1 255\nA", "P5 1 1 255",
                                  "P2 1 1 9\n10", "P2 2 1 9\n1", "P1 1 1\n2", "P5 99999999 99999999 255\nA",
                                  "P5 99999999999999999999 1 255\nA", "P3 99999999 99999999 255\n1", "P5 1 1 9\nA"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(read(wrong), jobs::picture_error);
  }
}

TEST_CASE("one picture split over the pool is the picture of one task, in every format") {
  rankpool::executor pool(support::cluster());
  const picture_folder folder;
  for (const auto from : {picture_format::png, picture_format::jpeg, picture_format::pnm}) {
    const std::string input = folder.put("in", encoded({from}, small_rgb, random_samples(small_rgb, 5), 128));
    for (const auto to : {picture_format::png, picture_format::jpeg, picture_format::pnm}) {
      for (const operation& what :
           {operation{operation_kind::gaussian, 11, jobs::gaussian_weights(3.7, 11)}, operation{operation_kind::sobel, 0, {}}}) {
        const jobs::picture_settings settings{.what = what, .rows = 16, .replace = true, .verify = true};
        const int format = static_cast<int>(to);
        REQUIRE(jobs::process_picture(settings, {input, folder.file("one"), format}).problem.empty());
        std::uint64_t strips = 0;
        const auto outcome = jobs::split_picture(pool, settings, {input, folder.file("split"), format},
                                                 [&](std::uint64_t done, std::uint64_t) { strips = done; });
        REQUIRE(outcome.problem.empty());
        CHECK(strips == (to == picture_format::jpeg ? 3 : 19));
        CHECK(content(folder.file("split")) == content(folder.file("one")));
      }
    }
  }
}

TEST_CASE("strips have the rows that were asked for, but at most those that there are, and no more than 1 GiB of pixels") {
  const picture_layout layout{40, 300, 3, 8};
  const auto rows = [](std::uint64_t asked, const picture_layout& of, picture_format to = picture_format::png) {
    return jobs::picture_settings{.what = {}, .rows = asked}.strip_rows_for(of, to);
  };
  CHECK(rows(1, layout) == 16);
  CHECK(rows(17, layout) == 32);
  CHECK(rows(1, layout, picture_format::jpeg) == 128);
  for (const std::uint64_t many : {300ULL, 4'294'967'295ULL, 4'294'967'296ULL, 1'000'000'000'000ULL})
    CHECK(rows(many, layout) == 300);
  const picture_layout wide{1 << 20, 1 << 20, 4, 16};
  CHECK(rows(1'000'000, wide) == 128);
  CHECK(rows(0, {1 << 30, 1 << 20, 1, 8}) == 16);
}

TEST_CASE("a strip that no chunk of a PNG can hold is an error") {
  const strip_rows strip = strip_rows::at({100'000'000, 16, 3, 16}, 0, 16, 0);
  CHECK_THROWS_WITH(jobs::encode_strip({picture_format::png}, strip, nullptr), support::containing("choose PNM"));
}

TEST_CASE("a split picture that turns out to be damaged is reported and leaves nothing, and the pool goes on") {
  rankpool::executor pool(support::cluster());
  const picture_folder folder;
  const std::string whole = encoded({picture_format::png}, small_rgb, random_samples(small_rgb, 5), 16);
  const std::string input = folder.put("in.png", whole.substr(0, whole.size() / 2));
  const jobs::picture_settings settings{.what = {operation_kind::box, 2, {}}, .rows = 16};
  const auto outcome = jobs::split_picture(pool, settings, {input, folder.file("out")}, [](std::uint64_t, std::uint64_t) {});
  CHECK(outcome.how == picture_outcome::kind::failed);
  CHECK_THAT(outcome.problem, support::containing("in.png: ends too early"));
  CHECK(folder.files() == 1);
  folder.put("in.png", whole);
  CHECK(jobs::split_picture(pool, settings, {input, folder.file("out")}, [](std::uint64_t, std::uint64_t) {}).problem.empty());
}

TEST_CASE("a picture that is replaced while workers read its rows is reported as such and leaves nothing, and the pool goes on") {
  rankpool::executor pool(support::cluster(), {.max_workers = 2});  // for whom not all strips are in flight at first
  const picture_folder folder;
  const auto written = [](const picture_layout& layout, unsigned seed, picture_format format = picture_format::pnm) {
    return encoded({format}, layout, random_samples(layout, seed), 128);
  };
  const std::string whole = written(small_rgb, 5), output = folder.file("out.png");
  const jobs::picture_settings settings{.what = {operation_kind::box, 2, {}}, .rows = 16};
  const picture_layout wider{3300, 290, 3, 8}, gray{33, 290, 1, 8};
  for (const std::string& other :
       {written(small_rgb, 6), written(wider, 5), written(gray, 5), written(wider, 5, picture_format::png)}) {
    const std::string input = folder.put("in.ppm", whole), replacement = folder.put("new.ppm", other);
    const auto replace = [&](std::uint64_t done, std::uint64_t) {
      if (done == 1) fs::rename(replacement, input);
    };
    const auto outcome = jobs::split_picture(pool, settings, {input, output, 0}, replace);
    CHECK(outcome.how == picture_outcome::kind::failed);
    CHECK(outcome.problem == input + ": has changed while it was read; run it again");
    CHECK(folder.files() == 1);
  }
  CHECK(jobs::split_picture(pool, settings, {folder.put("in.ppm", whole), output, 0}, [](std::uint64_t, std::uint64_t) {
        }).problem.empty());
}

TEST_CASE("whatever goes wrong with a picture becomes one line that names its file; a broken pool does not") {
  const jobs::picture_files files{"in.png", "out.png"};
  const auto problem_of = [&](const auto& error, const picture_layout& layout) {
    try {
      throw error;
    } catch (const std::exception&) {
      return jobs::failure(files, layout).problem;
    }
  };
  CHECK(problem_of(std::length_error("too long"), {}) == "in.png: too long");
  CHECK(problem_of(jobs::picture_error("in.png: is empty"), {}) == "in.png: is empty");
  CHECK(problem_of(rankpool::remote_error("strange: 1"), {}) == "in.png: strange: 1");
  CHECK(problem_of(std::bad_alloc(), {}) == "in.png: there is not enough memory for it");
  CHECK(problem_of(std::bad_alloc(), {7, 9, 1, 8}) == "in.png: there is not enough memory for 7 x 9 pixels");
  CHECK(problem_of(std::system_error(ENOSPC, std::generic_category()), {}) == "cannot write out.png: No space left on device");

  rankpool::executor broken(support::cluster(), {.initializer = [] { throw std::runtime_error("no licence"); }});
  const picture_folder folder;
  const std::string input = folder.put("in.ppm", encoded({picture_format::pnm}, small_rgb, random_samples(small_rgb, 5), 128));
  CHECK_THROWS_AS(jobs::split_picture(broken, {.what = {}}, {input, folder.file("out.pgm")}, [](std::uint64_t, std::uint64_t) {}),
                  rankpool::broken_pool);
  CHECK(folder.files() == 1);
}

TEST_CASE("verification finds a wrong pixel, wrong parameters and a wrong size") {
  const picture_folder folder;
  const picture_layout layout{16, 16, 1, 8};
  const auto samples = random_samples(layout, 9);
  const std::string input = folder.put("in.pgm", encoded({picture_format::pnm}, layout, samples, 16));
  const jobs::picture_settings right{.what = {operation_kind::box, 2, {}}}, other{.what = {operation_kind::box, 3, {}}};
  for (const char* const name : {"out.pgm", "out.png", "out.jpg"}) {
    const int format = name[4] == 'j' ? 1 : name[5] == 'n' ? 0 : 2;
    const jobs::picture_files files{input, folder.file(name), format};
    REQUIRE(jobs::process_picture(right, files).problem.empty());
    CHECK(jobs::difference(right, files, files.output).empty());
    CHECK_FALSE(jobs::difference(other, files, files.output).empty());
  }
  std::string bytes = content(folder.file("out.pgm"));
  bytes[bytes.size() - 256] = static_cast<char>(bytes[bytes.size() - 256] + 1);  // the first pixel
  CHECK_THAT(jobs::difference(right, {input, "out.pgm"}, folder.put("changed", bytes)), support::containing("column 0, row 0"));
  const picture_layout smaller{16, 15, 1, 8};
  CHECK_FALSE(
      jobs::difference(right, {input, "x"}, folder.put("smaller", encoded({picture_format::pnm}, smaller, samples, 16))).empty());
  jobs::strip_samples inverse = samples;
  for (auto& value : inverse) value = static_cast<std::uint8_t>(~value);
  const std::string negative = folder.put("negative.jpg", encoded({picture_format::jpeg}, layout, inverse, 128));
  CHECK_THAT(jobs::difference(right, {input, "x"}, negative), support::containing("is not what its pixels are encoded to"));
}

TEST_CASE("verification takes a coarse JPEG of noise for what it is") {
  const picture_folder folder;
  const std::string input = folder.put("in.png", encoded({picture_format::png}, small_rgb, random_samples(small_rgb, 2), 16));
  for (const int quality : {1, 50, 89, 100}) {
    CHECK(
        jobs::process_picture({.what = {}, .quality = quality, .replace = true, .verify = true}, {input, folder.file("out.jpg"), 1})
            .problem.empty());
  }
}

TEST_CASE("profiles and densities are kept, but not a colour profile for gray") {
  const picture_folder folder;
  const std::string density("\0\0\0\x09pHYs\0\0\x0b\x13\0\0\x0b\x13\1\0\x9a\x9c\x18", 21);
  const picture_layout layout{4, 4, 3, 8};
  const auto samples = random_samples(layout, 1);
  const std::string input = folder.put("in.png", encoded({picture_format::png}, layout, samples, 4, density));
  REQUIRE(jobs::process_picture({.what = {operation_kind::box, 1, {}}}, {input, folder.file("out.png")}).problem.empty());
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
  REQUIRE(jobs::process_picture({.what = {operation_kind::box, 1, {}}}, {jpeg, folder.file("blurred.jpg")}).problem.empty());
  CHECK(content(folder.file("blurred.jpg")).find(exif + profile) != std::string::npos);
  REQUIRE(jobs::process_picture({}, {jpeg, folder.file("gray.jpg")}).problem.empty());
  CHECK(content(folder.file("gray.jpg")).find(exif) != std::string::npos);
  CHECK(content(folder.file("gray.jpg")).find(profile) == std::string::npos);
}

TEST_CASE("names of results: kept, corrected where they would be wrong, refused where two are the same") {
  const picture_folder folder;
  fs::create_directory(folder.file("in"));
  for (const char* const name : {"a.ppm", "b.pbm", "c.JPG", "d.png", "notes.txt", ".hidden", "e.png.part-12"})
    folder.put(std::string("in/") + name, "x");
  const auto names = [&](const jobs::picture_request& request, const operation& what) {
    std::vector<std::string> found;
    for (const auto& files : jobs::plan_pictures(request, what).pictures)
      found.push_back(fs::path(files.output).filename().string());
    return found;
  };
  using list = std::vector<std::string>;
  CHECK(names({{folder.file("in")}, folder.file("out"), {}, false}, {}) == list{"a.pgm", "b.pgm", "c.JPG", "d.png", "notes.txt"});
  const operation box{operation_kind::box, 1, {}};
  CHECK(names({{folder.file("in")}, folder.file("out"), {}, false}, box) == list{"a.ppm", "b.pgm", "c.JPG", "d.png", "notes.txt"});
  CHECK(names({{folder.file("in")}, folder.file("out"), "png", false}, box) ==
        list{"a.png", "b.png", "c.png", "d.png", "notes.txt.png"});
  folder.put("in/a.png", "x");
  CHECK_THROWS_AS(names({{folder.file("in")}, folder.file("out"), "png", false}, box), jobs::usage_error);
  CHECK_THROWS_AS(names({{folder.file("in")}, folder.file("in"), {}, false}, box), jobs::usage_error);
}

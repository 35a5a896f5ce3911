// Tests the verification of pictures, and the names of results.
#include <filesystem>
#include <string>
#include <vector>

#include "image/picture_names.hpp"
#include "image/verification.hpp"
#include "pictures.hpp"
#include "support/catch.hpp"
#include "support/usage_error.hpp"

using namespace pictures;

TEST_CASE("verification finds a wrong pixel, wrong parameters and a wrong size") {
  const picture_folder folder;
  const picture_layout layout{16, 16, 1, 8};
  const auto samples = random_samples(layout, 9);
  const std::string input = folder.put("in.pgm", encoded({picture_format::pnm}, layout, samples, 16));
  const jobs::picture_settings right{.what = {operation_kind::box, 2, {}}}, other{.what = {operation_kind::box, 3, {}}};
  for (const char* const name : {"out.pgm", "out.png", "out.jpg"}) {
    const int format = name[4] == 'j' ? 1 : name[5] == 'n' ? 0 : 2;
    const jobs::picture_files files{input, folder.file(name), format};
    REQUIRE(problem_of(right, files).empty());
    CHECK(jobs::difference(right, files, files.output).empty());
    CHECK_FALSE(jobs::difference(other, files, files.output).empty());
  }
  std::string bytes = content(folder.file("out.pgm"));
  bytes[bytes.size() - 256] = static_cast<char>(bytes[bytes.size() - 256] + 1);  // changes the first pixel
  CHECK_THAT(jobs::difference(right, {input, "out.pgm"}, folder.put("changed", bytes)), support::containing("column 0, row 0"));
  const picture_layout smaller{16, 15, 1, 8};
  CHECK_FALSE(
      jobs::difference(right, {input, "x"}, folder.put("smaller", encoded({picture_format::pnm}, smaller, samples, 16))).empty());
  jobs::strip_samples inverse = samples;
  for (auto& value : inverse) value = static_cast<std::uint8_t>(~value);
  const std::string negative = folder.put("negative.jpg", encoded({picture_format::jpeg}, layout, inverse, 128));
  CHECK_THAT(jobs::difference(right, {input, "x"}, negative), support::containing("differs from the encoding of its pixels"));
}

TEST_CASE("verification accepts a JPEG of noise in any quality") {
  const picture_folder folder;
  const std::string input = folder.put("in.png", encoded({picture_format::png}, small_rgb, random_samples(small_rgb, 2), 16));
  for (const int quality : {1, 50, 89, 100}) {
    CHECK(problem_of({.what = {}, .quality = quality, .verify = true}, {input, folder.file("out.jpg"), 1}).empty());
  }
}

TEST_CASE("result names are kept, get the right extension, and must be distinct") {
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

// Tests pictures that are split among the workers, and their errors.
#include <filesystem>
#include <string>
#include <vector>

#include "pictures.hpp"
#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/usage_error.hpp"

using namespace pictures;

TEST_CASE("a split picture equals the picture of one task, in every format") {
  rankpool::executor pool(support::cluster());
  const picture_folder folder;
  for (const auto from : {picture_format::png, picture_format::jpeg, picture_format::pnm}) {
    const std::string input = folder.put("in", encoded({from}, small_rgb, random_samples(small_rgb, 5), 128));
    for (const auto to : {picture_format::png, picture_format::jpeg, picture_format::pnm}) {
      for (const operation& what :
           {operation{operation_kind::gaussian, 11, jobs::gaussian_weights(3.7, 11)}, operation{operation_kind::sobel, 0, {}}}) {
        const jobs::picture_settings settings{.what = what, .rows = 16, .verify = true};
        const int format = static_cast<int>(to);
        REQUIRE(problem_of(settings, {input, folder.file("one"), format}).empty());
        std::uint64_t strips = 0;
        const auto problem = problem_of_split(pool, settings, {input, folder.file("split"), format},
                                              [&](std::uint64_t done, std::uint64_t) { strips = done; });
        REQUIRE(problem.empty());
        CHECK(strips == (to == picture_format::jpeg ? 3 : 19));
        CHECK(content(folder.file("split")) == content(folder.file("one")));
      }
    }
  }
}

TEST_CASE("strips have the requested rows, limited by the picture and by 1 GiB of pixels") {
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

TEST_CASE("a strip that exceeds a chunk of a PNG is an error") {
  const strip_rows strip = strip_rows::at({100'000'000, 16, 3, 16}, 0, 16, 0);
  CHECK_THROWS_WITH(jobs::encode_strip({picture_format::png}, strip, nullptr), support::containing("choose PNM"));
}

TEST_CASE("a damaged picture is reported when it is split, leaves no file, and the pool remains usable") {
  rankpool::executor pool(support::cluster());
  const picture_folder folder;
  const std::string whole = encoded({picture_format::png}, small_rgb, random_samples(small_rgb, 5), 16);
  const std::string input = folder.put("in.png", whole.substr(0, whole.size() / 2));
  const jobs::picture_settings settings{.what = {operation_kind::box, 2, {}}, .rows = 16};
  CHECK_THAT(problem_of_split(pool, settings, {input, folder.file("out")}), support::containing("in.png: ends too early"));
  CHECK(folder.files() == 1);
  folder.put("in.png", whole);
  CHECK(problem_of_split(pool, settings, {input, folder.file("out")}).empty());
}

TEST_CASE("a picture that is replaced while workers read it is reported, leaves no file, and the pool remains usable") {
  rankpool::executor pool(support::cluster(), {.max_workers = 2});  // so few that not all strips are in flight at first
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
    CHECK(problem_of_split(pool, settings, {input, output, 0}, replace) == input + ": has changed while it was read; run it again");
    CHECK(folder.files() == 1);
  }
  CHECK(problem_of_split(pool, settings, {folder.put("in.ppm", whole), output, 0}).empty());
}

TEST_CASE("an error of a picture becomes one line with its file, but an error of the pool passes through") {
  const jobs::picture_files files{"in.png", "out.png"};
  const auto problem_of = [&](const auto& error, const picture_layout& layout) {
    try {
      try {
        throw error;
      } catch (...) {
        jobs::rethrow_as_failure(files, layout);
      }
    } catch (const jobs::picture_failure& failure) {
      return std::string(failure.what());
    }
  };
  CHECK(problem_of(std::length_error("too long"), {}) == "in.png: too long");
  CHECK(problem_of(jobs::picture_error("in.png: is empty"), {}) == "in.png: is empty");
  CHECK(problem_of(rankpool::remote_error("strange: 1"), {}) == "in.png: strange: 1");
  CHECK(problem_of(std::bad_alloc(), {}) == "in.png: not enough memory for it");
  CHECK(problem_of(std::bad_alloc(), {7, 9, 1, 8}) == "in.png: not enough memory for 7 x 9 pixels");
  CHECK(problem_of(std::system_error(ENOSPC, std::generic_category()), {}) == "cannot write out.png: No space left on device");

  rankpool::executor broken(support::cluster(), {.initializer = [] { throw std::runtime_error("no licence"); }});
  const picture_folder folder;
  const std::string input = folder.put("in.ppm", encoded({picture_format::pnm}, small_rgb, random_samples(small_rgb, 5), 128));
  CHECK_THROWS_AS(problem_of_split(broken, {.what = {}}, {input, folder.file("out.pgm")}), rankpool::broken_pool);
  CHECK(folder.files() == 1);
}

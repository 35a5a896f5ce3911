// Tests the filters against their definition.
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "../vector_targets.hpp"
#include "image/filters.hpp"
#include "image/verification.hpp"
#include "pictures.hpp"
#include "support/catch.hpp"

using namespace pictures;

TEST_CASE(
    "every filter gives each pixel what its definition says, for all layouts and sizes, however the rows are divided, for "
    "every target") {
  support::for_each_vector_target([](const std::string& target) {
    for (const std::uint32_t channels : {1, 2, 3, 4}) {
      for (const std::uint32_t bits : {8, 16}) {
        for (const auto& [width, height] : {std::pair{1U, 1U}, {1U, 7U}, {6U, 1U}, {13U, 17U}}) {
          const picture_layout layout{width, height, channels, bits};
          const auto samples = random_samples(layout, width * height + channels);
          for (const operation& what : all_operations()) {
            CAPTURE(target, static_cast<int>(what.kind), what.radius, channels, bits, width, height);
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
  });
}

TEST_CASE("filters compute known pixels: a mean, a gradient, a gray level") {
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

TEST_CASE("transparent pixels do not contribute color to a blur") {
  const picture_layout layout{2, 1, 4, 8};
  const jobs::strip_samples samples{200, 100, 50, 255, 1, 255, 255, 0};
  const auto blurred = jobs::filter_strip({operation_kind::box, 1, {}}, strip_rows::at(layout, 0, 1, 0), samples.data());
  CHECK(blurred == jobs::strip_samples{200, 100, 50, 170, 200, 100, 50, 85});
}

TEST_CASE("the weights of a Gaussian have the right sum and decrease") {
  for (const double sigma : {0.1, 0.5, 1.0, 2.0, 17.0, 60.0, 128.0, 205.5, 333.0}) {
    const auto radius = static_cast<std::uint32_t>(3 * sigma) + 1;
    const auto weights = jobs::gaussian_weights(sigma, radius);
    CHECK(2 * std::accumulate(weights.begin() + 1, weights.end(), 0U) + weights[0] == operation::weights_total);
    CHECK(std::is_sorted(weights.rbegin(), weights.rend()));
  }
}

TEST_CASE("a Gaussian differs from its computation in doubles by at most one level") {
  for (const double sigma : {0.5, 1.3, 3.7, 17.0, 60.0}) {
    CAPTURE(sigma);
    const auto radius = static_cast<std::uint32_t>(3 * sigma) + 1;
    const operation what{operation_kind::gaussian, radius, jobs::gaussian_weights(sigma, radius)};
    std::vector<double> bell;  // the weights, each computed separately
    for (std::int64_t k = -std::int64_t{radius}; k <= radius; ++k) {
      const auto at = [&](double x) { return std::exp(-x * x / (2 * sigma * sigma)); };
      const auto x = static_cast<double>(k);
      bell.push_back(at(x - 1. / 3) + at(x) + at(x + 1. / 3));
    }
    const double total = std::accumulate(bell.begin(), bell.end(), 0.0);
    const picture_layout layout{3 * radius, 1, 1, 16};  // a single row: the rows above and below repeat it
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
      CHECK(furthest <= (is_dot ? 1.5 : 257));  // a dot shows the error of one weight, noise the sum of all
    }
  }
}

TEST_CASE("a filter does not change a uniform picture") {
  const picture_layout layout{40, 30, 1, 16};
  jobs::strip_samples samples(layout.row_bytes() * layout.height, 0xff);
  for (const operation& what : all_operations()) {
    if (what.kind != operation_kind::sobel)
      CHECK(jobs::filter_strip(what, strip_rows::at(layout, 0, 30, 0), samples.data()) == samples);
  }
}

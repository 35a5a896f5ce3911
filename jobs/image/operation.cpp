#include "image/operation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace jobs {

picture_layout operation::result_of(picture_layout from) const {
  if (makes_gray()) from.channels = from.has_alpha() ? 2 : 1;
  return from;
}

std::vector<std::uint32_t> gaussian_weights(double sigma, std::uint32_t radius) {
  std::vector<double> bell(radius + 1);
  double total = 0;
  for (std::uint32_t k = 0; k <= radius; ++k) {
    for (const int third : {-1, 0, 1}) {
      const double distance = (3.0 * k + third) / (3 * sigma);
      bell[k] += std::exp(-distance * distance / 2);
    }
    total += k == 0 ? bell[k] : 2 * bell[k];
  }
  const auto exact = [&](std::uint32_t k) { return bell[k] / total * operation::weights_total; };
  std::vector<std::uint32_t> weights(radius + 1);
  // All weights but the middle come in pairs, so the middle is even. Others are rounded down, those with the largest error up.
  weights[0] = 2 * static_cast<std::uint32_t>(std::lround(exact(0) / 2));
  if (weights[0] < exact(1)) weights[0] += 2;
  std::uint32_t missing = (operation::weights_total - weights[0]) / 2;
  for (std::uint32_t k = 1; k <= radius; ++k) {
    weights[k] = static_cast<std::uint32_t>(exact(k));
    missing -= weights[k];
  }
  std::vector<std::uint32_t> order(radius);
  std::iota(order.begin(), order.end(), 1);
  std::ranges::sort(order, {}, [&](std::uint32_t k) { return std::pair(weights[k] - exact(k), k); });  // largest error first
  for (std::uint32_t i = 0; i < missing; ++i) ++weights[order[i]];
  return weights;
}

}  // namespace jobs

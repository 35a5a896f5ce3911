#include "image/operation.hpp"

#include <cmath>

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
  std::vector<std::uint32_t> weights(radius + 1);
  std::uint32_t outer = 0;
  for (std::uint32_t k = 1; k <= radius; ++k) {
    weights[k] = static_cast<std::uint32_t>(std::lround(bell[k] / total * operation::weights_total));
    outer += 2 * weights[k];
  }
  weights[0] = operation::weights_total - outer;
  return weights;
}

}  // namespace jobs

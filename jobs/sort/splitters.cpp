#include "sort/splitters.hpp"

namespace jobs {

std::vector<splitter> choose_splitters(std::vector<splitter>& samples, std::size_t buckets) {
  std::ranges::sort(samples);
  std::vector<splitter> chosen;
  for (std::size_t b = 1; b < buckets && !samples.empty(); ++b) chosen.push_back(samples[b * samples.size() / buckets]);
  return chosen;
}

}  // namespace jobs

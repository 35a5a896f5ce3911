#include "sort/sampling.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <span>
#include <tuple>

#include "support/mixed.hpp"

namespace jobs {
namespace {

std::size_t samples_in_a_task(std::size_t samples, int workers) {
  constexpr std::size_t few = 256;
  return std::max(samples / (4 * static_cast<std::size_t>(workers)), few);
}

std::uint64_t begin_of_stretch(const number_file& numbers, std::size_t stretch, std::size_t stretches) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(numbers.count) * stretch / stretches);
}

std::vector<splitter> sample_stretches(const number_file& numbers, std::size_t stretches, std::size_t first, std::size_t last) {
  const file from(numbers.path);
  ::posix_fadvise(from.descriptor(), 0, 0, POSIX_FADV_RANDOM);
  std::vector<splitter> samples;
  samples.reserve(last - first);
  with_element(numbers.type, [&]<class Number>(Number) {
    for (std::size_t s = first; s < last; ++s) {
      const std::uint64_t begin = begin_of_stretch(numbers, s, stretches);
      const std::uint64_t index = begin + mixed(s) % (begin_of_stretch(numbers, s + 1, stretches) - begin);
      key_of<Number> bits = 0;
      from.read_items(std::span(&bits, 1), numbers.place(index));
      samples.push_back({to_key<Number>(bits), index});
    }
  });
  return samples;
}

}  // namespace

std::size_t sampling_tasks(std::size_t samples, int workers) {
  const std::size_t in_a_task = samples_in_a_task(samples, workers);
  return (samples + in_a_task - 1) / in_a_task;
}

std::vector<splitter> draw_samples(rankpool::executor& pool, const number_file& numbers, std::size_t samples, int workers) {
  const std::size_t in_a_task = samples_in_a_task(samples, workers);
  const auto tasks =
      std::views::iota(std::size_t{0}, sampling_tasks(samples, workers)) | std::views::transform([=](std::size_t task) {
        return std::tuple(task * in_a_task, std::min((task + 1) * in_a_task, samples));
      });
  std::vector<splitter> all;
  all.reserve(samples);
  const auto sample = rankpool::partial(sample_stretches, numbers, samples);
  for (const auto& some : pool.starmap({.chunksize = 1}, sample, tasks)) all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace jobs

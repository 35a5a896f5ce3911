// Function objects with state, partial applications, and reductions with them.
#include <rankpool/rankpool.hpp>

#include <boost/serialization/access.hpp>

#include <cstdio>
#include <map>
#include <ranges>
#include <string>
#include <vector>

namespace {

/// A polynomial. Its coefficients are sent with it.
class polynomial {
 public:
  polynomial() = default;
  explicit polynomial(std::vector<long> coefficients) : coefficients_(std::move(coefficients)) {}

  long operator()(long x) const {
    long value = 0;
    for (const long c : coefficients_ | std::views::reverse) value = value * x + c;
    return value;
  }

 private:
  friend class boost::serialization::access;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & coefficients_;
  }
  std::vector<long> coefficients_;
};

using word_counts = std::map<std::string, int>;

struct merge {
  word_counts operator()(word_counts left, const word_counts& right) const {
    for (const auto& [word, count] : right) left[word] += count;
    return left;
  }
};

word_counts count_words(const std::string& minimum_length, const std::string& line) {
  word_counts counts;
  std::string word;
  for (const char c : line + ' ') {
    if (c != ' ') {
      word += c;
    } else if (word.size() >= minimum_length.size()) {
      ++counts[std::exchange(word, {})];
    } else {
      word.clear();
    }
  }
  return counts;
}

long clamp_between(long low, long high, long value) { return std::min(high, std::max(low, value)); }

void count(rankpool::executor& pool) {
  const std::vector<std::string> lines{"one fish two fish", "red fish", "", "blue fish one"};
  const auto counts = pool.transform_reduce(lines, word_counts{}, merge{}, rankpool::partial(count_words, std::string("xxx")));
  for (const auto& [word, n] : counts) std::printf("%s %d\n", word.c_str(), n);
}

}  // namespace

int main(int argc, char** argv) {
  return rankpool::run(argc, argv, [](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster, {.max_workers = 2});
    const polynomial p({1, -2, 0, 3});  // 3x^3 - 2x + 1
    std::printf("p(10) = %ld\n", pool.submit(p, 10).result());
    for (const long y : pool.map(p, std::views::iota(-2, 3))) std::printf("%ld ", y);
    std::printf("\n");
    for (const long y : pool.map({.chunksize = 2}, rankpool::partial(clamp_between, 0, 20), std::vector{-5, 7, 99})) {
      std::printf("%ld ", y);
    }
    std::printf("\n");
    std::printf("sum of p(0..99) = %ld\n", pool.transform_reduce(std::views::iota(0L, 100L), 0L, std::plus<>{}, p));
    count(pool);
  });
}

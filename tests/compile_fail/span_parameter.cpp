// A span as a parameter: the memory that it refers to is not sent.
#include <rankpool/rankpool.hpp>

#include <span>
#include <vector>

double sum(std::span<const double> values) {
  double result = 0;
  for (const double value : values) result += value;
  return result;
}

void use(rankpool::executor& pool, const std::vector<double>& values) { pool.submit(sum, values); }

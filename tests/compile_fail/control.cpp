// Control: the code of the other files, without their mistakes.
#include <rankpool/rankpool.hpp>

#include <string>
#include <vector>

double total(const std::vector<double>& values, const std::string& unit, double factor) {
  double sum = static_cast<double>(unit.size());
  for (const double value : values) sum += factor * value;
  return sum;
}

int scaled(int factor, int n) { return factor * n; }

void use(rankpool::executor& pool, int factor) {
  const std::vector<int> numbers{1, 2, 3};
  pool.submit(total, std::vector<double>{1, 2}, "m", 2.0);
  pool.submit([](int a, int b) { return a * b; }, factor, 2);
  pool.map(rankpool::partial(scaled, factor), numbers);
  pool.transform_reduce(
      numbers, 0, [](int a, int b) { return a + b; }, rankpool::partial(scaled, factor));
}

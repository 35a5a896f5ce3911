// A lambda with captures, passed to transform_reduce.
#include <rankpool/rankpool.hpp>

#include <vector>

void use(rankpool::executor& pool, int factor) {
  pool.transform_reduce(
      std::vector{1, 2, 3}, 0, [](int a, int b) { return a + b; }, [factor](int n) { return factor * n; });
}

// A lambda with captures, passed to map.
#include <rankpool/rankpool.hpp>

#include <vector>

void use(rankpool::executor& pool, int factor) {
  pool.map([factor](int n) { return factor * n; }, std::vector{1, 2, 3});
}

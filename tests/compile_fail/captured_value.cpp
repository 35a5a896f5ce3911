// A lambda that captures by value.
#include <rankpool/rankpool.hpp>

void use(rankpool::executor& pool, int factor) {
  pool.submit([factor](int n) { return factor * n; }, 2);
}

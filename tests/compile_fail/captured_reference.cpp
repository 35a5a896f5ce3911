// A lambda that captures by reference.
#include <rankpool/rankpool.hpp>

void use(rankpool::executor& pool, int factor) {
  pool.submit([&] { return 2 * factor; });
}

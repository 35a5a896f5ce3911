// The result of std::bind, which cannot be serialised.
#include <rankpool/rankpool.hpp>

#include <functional>

int scaled(int factor, int n) { return factor * n; }

void use(rankpool::executor& pool) {
  pool.submit(std::bind([](int factor, int n) { return scaled(factor, n); }, 2, std::placeholders::_1), 3);
}

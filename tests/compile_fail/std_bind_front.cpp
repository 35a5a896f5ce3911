// The result of std::bind_front, which cannot be serialised.
#include <rankpool/rankpool.hpp>

#include <functional>
#include <vector>

int scaled(int factor, int n) { return factor * n; }

void use(rankpool::executor& pool) { pool.map(std::bind_front(scaled, 2), std::vector{1, 2, 3}); }

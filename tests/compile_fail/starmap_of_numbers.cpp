// starmap over numbers, although it requires tuples.
#include <rankpool/rankpool.hpp>

#include <vector>

int square(int n) { return n * n; }

void use(rankpool::executor& pool) { pool.starmap(square, std::vector{1, 2, 3}); }

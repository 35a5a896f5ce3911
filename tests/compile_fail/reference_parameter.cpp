// What a task writes through a reference would never come back.
#include <rankpool/rankpool.hpp>

void increment(int& n) { ++n; }

void use(rankpool::executor& pool, int n) { pool.submit(increment, n); }

// A non-const reference as a parameter: changes by the task are not sent back.
#include <rankpool/rankpool.hpp>

void increment(int& n) { ++n; }

void use(rankpool::executor& pool, int n) { pool.submit(increment, n); }

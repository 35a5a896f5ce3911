// A raw pointer as a parameter: the address is invalid in another process.
#include <rankpool/rankpool.hpp>

int first(const int* values) { return *values; }

void use(rankpool::executor& pool, const int* values) { pool.submit(first, values); }

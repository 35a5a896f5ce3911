// A raw pointer means nothing in another process.
#include <rankpool/rankpool.hpp>

int first(const int* values) { return *values; }

void use(rankpool::executor& pool, const int* values) { pool.submit(first, values); }

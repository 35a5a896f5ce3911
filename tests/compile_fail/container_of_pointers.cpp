// A vector of raw pointers as an argument: their targets are not sent.
#include <rankpool/rankpool.hpp>

#include <vector>

int first(const std::vector<int*>& numbers) { return *numbers.front(); }

void use(rankpool::executor& pool, const std::vector<int*>& numbers) { pool.submit(first, numbers); }

// A vector of raw pointers as a result: their targets stay on the worker.
#include <rankpool/rankpool.hpp>

#include <vector>

std::vector<int*> make(int n) { return std::vector<int*>(static_cast<std::size_t>(n)); }

void use(rankpool::executor& pool) { pool.submit(make, 3); }

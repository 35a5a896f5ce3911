// What is in a std::function is known to this process alone.
#include <rankpool/rankpool.hpp>

#include <functional>

void use(rankpool::executor& pool, const std::function<int(int)>& f) { pool.submit(f, 1); }

// A std::function, whose target cannot be serialised.
#include <rankpool/rankpool.hpp>

#include <functional>

void use(rankpool::executor& pool, const std::function<int(int)>& f) { pool.submit(f, 1); }

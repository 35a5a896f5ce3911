// A string as the argument of a task that takes a number.
#include <rankpool/rankpool.hpp>

#include <string>

int square(int n) { return n * n; }

void use(rankpool::executor& pool, const std::string& text) { pool.submit(square, text); }

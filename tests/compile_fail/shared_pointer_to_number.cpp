// A std::shared_ptr to a number: Boost serialises only shared pointers to classes.
#include <rankpool/rankpool.hpp>

#include <memory>

int value(const std::shared_ptr<int>& p) { return *p; }

void use(rankpool::executor& pool) { pool.submit(value, std::make_shared<int>(3)); }

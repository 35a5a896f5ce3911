// Boost follows shared pointers to classes only.
#include <rankpool/rankpool.hpp>

#include <memory>

int value(const std::shared_ptr<int>& p) { return *p; }

void use(rankpool::executor& pool) { pool.submit(value, std::make_shared<int>(3)); }

// A union as a parameter: the active member is unknown.
#include <rankpool/rankpool.hpp>

union number {
  int whole;
  float broken;
};

int whole(number n) { return n.whole; }

void use(rankpool::executor& pool) { pool.submit(whole, number{1}); }

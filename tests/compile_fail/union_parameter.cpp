// Nobody knows which member of a union is in use.
#include <rankpool/rankpool.hpp>

union number {
  int whole;
  float broken;
};

int whole(number n) { return n.whole; }

void use(rankpool::executor& pool) { pool.submit(whole, number{1}); }

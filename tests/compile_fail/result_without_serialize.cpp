// A result with a base class and without serialize.
#include <rankpool/rankpool.hpp>

struct named {
  int name = 0;
};
struct measured : named {
  double value = 0;
};

measured measure(int n) { return {{n}, 0.5}; }

void use(rankpool::executor& pool) { pool.submit(measure, 3); }

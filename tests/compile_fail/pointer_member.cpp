// A struct with a raw pointer: the array that it points to is not sent.
#include <rankpool/rankpool.hpp>

struct matrix {
  int rows;
  const double* values;
};

double first(const matrix& m) { return m.values[0]; }

void use(rankpool::executor& pool, const matrix& m) { pool.submit(first, m); }

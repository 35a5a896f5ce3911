// The array that a struct points to stays behind.
#include <rankpool/rankpool.hpp>

struct matrix {
  int rows;
  const double* values;
};

double first(const matrix& m) { return m.values[0]; }

void use(rankpool::executor& pool, const matrix& m) { pool.submit(first, m); }

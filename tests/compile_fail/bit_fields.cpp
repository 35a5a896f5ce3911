// A plain struct with bit-fields, to which no reference is possible.
#include <rankpool/rankpool.hpp>

struct flags {
  unsigned colour : 3;
  unsigned size : 5;
};

unsigned colour(const flags& f) { return f.colour; }

void use(rankpool::executor& pool) { pool.submit(colour, flags{1, 2}); }

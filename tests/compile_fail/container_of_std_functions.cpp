// A struct with a vector of std::function, whose targets cannot be serialised.
#include <rankpool/rankpool.hpp>

#include <functional>
#include <vector>

struct steps {
  std::vector<std::function<int(int)>> each;
};

int run(const steps& s) { return s.each.front()(1); }

void use(rankpool::executor& pool, const steps& s) { pool.submit(run, s); }

// A function object with private members and without serialize.
#include <rankpool/rankpool.hpp>

class scaler {
 public:
  explicit scaler(int factor) : factor_(factor) {}
  int operator()(int n) const { return factor_ * n; }

 private:
  int factor_;
};

void use(rankpool::executor& pool) { pool.submit(scaler(2), 3); }

// A std::shared_ptr to a class that cannot be serialised.
#include <rankpool/rankpool.hpp>

#include <memory>

class opaque {
 public:
  explicit opaque(int n) : n_(n) {}
  int value() const { return n_; }

 private:
  int n_;
};

int value(const std::shared_ptr<opaque>& p) { return p->value(); }

void use(rankpool::executor& pool) { pool.submit(value, std::make_shared<opaque>(3)); }

// A class with private members and without serialize, so that the pool does not know what to send.
#include <rankpool/rankpool.hpp>

class account {
 public:
  explicit account(int cents) : cents_(cents) {}
  int cents() const { return cents_; }

 private:
  int cents_;
};

int cents(const account& a) { return a.cents(); }

void use(rankpool::executor& pool) { pool.submit(cents, account(3)); }

// A plain struct with a member that cannot be serialised.
#include <rankpool/rankpool.hpp>

#include <map>
#include <string>

class opaque {
 public:
  explicit opaque(int n) : n_(n) {}
  int value() const { return n_; }

 private:
  int n_;
};
struct table {
  std::string name;
  std::map<int, std::vector<opaque>> rows;
};

int rows(const table& t) { return static_cast<int>(t.rows.size()); }

void use(rankpool::executor& pool, const table& t) { pool.submit(rows, t); }

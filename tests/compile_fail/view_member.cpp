// The text that a string_view in a struct looks at stays behind.
#include <rankpool/rankpool.hpp>

#include <string_view>
#include <vector>

struct word {
  int line;
  std::string_view text;
};

int line(const std::vector<word>& words) { return words.front().line; }

void use(rankpool::executor& pool, const std::vector<word>& words) { pool.submit(line, words); }

// A struct with a string_view: the characters that it refers to are not sent.
#include <rankpool/rankpool.hpp>

#include <string_view>
#include <vector>

struct word {
  int line;
  std::string_view text;
};

int line(const std::vector<word>& words) { return words.front().line; }

void use(rankpool::executor& pool, const std::vector<word>& words) { pool.submit(line, words); }

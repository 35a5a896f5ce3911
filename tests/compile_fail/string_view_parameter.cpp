// A string_view as a parameter: the characters that it refers to are not sent.
#include <rankpool/rankpool.hpp>

#include <string>
#include <string_view>

std::size_t length(std::string_view text) { return text.size(); }

void use(rankpool::executor& pool, const std::string& text) { pool.submit(length, text); }

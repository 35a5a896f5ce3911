// A string_view is a view of characters that are not there.
#include <rankpool/rankpool.hpp>

#include <string>
#include <string_view>

std::size_t length(std::string_view text) { return text.size(); }

void use(rankpool::executor& pool, const std::string& text) { pool.submit(length, text); }

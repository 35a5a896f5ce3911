// Tests the division of a stream of lines into blocks.
#include "support/line_blocks.hpp"

#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace {

double length(std::string_view line) { return static_cast<double>(line.size()); }

/// Returns the blocks that are read if `text` comes through a pipe.
std::vector<jobs::line_block> blocks_of(const std::string& text, double most_cost = 1e9) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::jthread writer([&] {
    for (std::size_t begin = 0; begin < text.size();) {
      const ssize_t written = ::write(ends[1], text.data() + begin, text.size() - begin);
      if (written <= 0) break;
      begin += static_cast<std::size_t>(written);
    }
    ::close(ends[1]);
  });
  std::vector<jobs::line_block> blocks;
  jobs::line_blocks input(ends[0], "the pipe", length, most_cost);
  for (const jobs::line_block& block : input) blocks.push_back(block);
  writer.join();
  ::close(ends[0]);
  return blocks;
}

}  // namespace

TEST_CASE("blocks consist of complete lines, and together contain the whole input") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + '\n';
  std::string joined;
  std::uint64_t next_line = 1;
  const auto blocks = blocks_of(text);
  CHECK(blocks.size() > 1);
  for (const auto& block : blocks) {
    CHECK(block.text.back() == '\n');
    CHECK(block.first_line == next_line);
    jobs::for_each_line(block, [&](std::string_view line, std::uint64_t number) {
      if (number != next_line || line != std::to_string(number - 1)) FAIL("line " << number << " is " << line);
      ++next_line;
    });
    joined += block.text;
  }
  CHECK(joined == text);
}

TEST_CASE("a block ends early when its work is enough for a task") {
  CHECK(blocks_of("aa\nbb\ncc\n", 1).size() == 3);
  CHECK(blocks_of("aa\nbb\ncc\n", 4).size() == 2);
}

TEST_CASE("a line longer than a block is not split") {
  const std::string longer(1'000'000, '7');
  const auto blocks = blocks_of("1\n" + longer + "\n2");
  std::vector<std::string> lines;
  for (const auto& block : blocks) jobs::for_each_line(block, [&](std::string_view line, auto) { lines.emplace_back(line); });
  CHECK(lines == std::vector<std::string>{"1", longer, "2"});
}

TEST_CASE("blanks around lines and empty lines are skipped, but count in line numbers") {
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  for (const auto& block : blocks_of("\n  1 \r\n\n\t\n2")) {
    jobs::for_each_line(block, [&](std::string_view line, std::uint64_t number) { lines.emplace_back(line, number); });
  }
  CHECK(lines == std::vector<std::pair<std::string, std::uint64_t>>{{"1", 2}, {"2", 5}});
}

TEST_CASE("an empty input has no blocks") { CHECK(blocks_of("").empty()); }

TEST_CASE("a UTF-8 byte order mark at the beginning is skipped, and UTF-16 is an error") {
  const auto lines_of = [](const std::string& input) {
    std::vector<std::string> lines;
    for (const auto& block : blocks_of(input))
      jobs::for_each_line(block, [&](std::string_view line, auto) { lines.emplace_back(line); });
    return lines;
  };
  CHECK(lines_of("\xef\xbb\xbf"
                 "7\r\n8") == std::vector<std::string>{"7", "8"});
  CHECK(lines_of("\xef\xbb\xbf\n8") == std::vector<std::string>{"8"});
  CHECK(lines_of("\xef\xbb\xbf").empty());
  CHECK(lines_of("7\n\xef\xbb\xbf"
                 "8")
            .back() != "8");
  for (const std::string& utf_16 : {std::string("\xff\xfe"
                                                "7\0\n\0",
                                                6),
                                    std::string("\xfe\xff\0"
                                                "7\0\n",
                                                6)})
    CHECK_THROWS_WITH(lines_of(utf_16), support::containing("UTF-16"));
}

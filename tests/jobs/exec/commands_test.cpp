// Tests the input of the job `exec`: templates, lines of a file, lists of arguments.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "exec/column_separator.hpp"
#include "exec/command.hpp"
#include "exec/command_source.hpp"
#include "exec/command_template.hpp"
#include "pipes.hpp"
#include "support/catch.hpp"
#include "support/usage_error.hpp"

namespace {

using words = std::vector<std::string>;

words filled(const words& form, const words& arguments) { return jobs::command_template(form).fill(arguments, 7).words; }

words lines_of(const std::string& text, const words& form = {}, char separator = '\n') {
  const written_pipe input(text);
  jobs::line_source source(input.get(), "input", jobs::command_template(form), separator);
  words found;
  while (const auto next = source.next()) found.push_back(jobs::command_text(*next));
  return found;
}

}  // namespace

// The expected values are what GNU parallel 20221122 prints.
TEST_CASE("placeholders have the values of GNU parallel") {
  const words form{"{.}", "{/}", "{//}", "{/.}"};
  const std::vector<std::pair<std::string, words>> known{
      {"a.b", {"a", "a.b", ".", "a"}},
      {"d/e.f.g", {"d/e.f", "e.f.g", "d", "e.f"}},
      {"d.x/e", {"d.x/e", "e", "d.x", "e"}},
      {"/abs/", {"/abs/", "", "/", ""}},
      {"a.", {"a", "a.", ".", "a"}},
      {".hid", {"", ".hid", ".", ""}},
      {"d/.hid", {"d/", ".hid", "d", ""}},
      {"sp ace.t x", {"sp ace", "sp ace.t x", ".", "sp ace"}},
      {"", {"", "", ".", ""}},
      {"/", {"/", "", "/", ""}},
  };
  for (const auto& [argument, expected] : known) CHECK(filled(form, {argument}) == expected);
}

TEST_CASE("arguments are not split, are appended without a placeholder, and fill one word or several") {
  CHECK(filled({"echo", "x{}y{#}"}, {"a b'$(c)"}) == words{"echo", "xa b'$(c)y7"});
  CHECK(filled({"echo"}, {"a b"}) == words{"echo", "a b"});
  CHECK(filled({"echo", "{#}"}, {"a"}) == words{"echo", "7"});
  CHECK(filled({"printf", "{}"}, {"a b", "c"}) == words{"printf", "a b", "c"});
  CHECK(filled({"echo", "p{}q"}, {"a b", "c"}) == words{"echo", "pa b cq"});
  CHECK(filled({"echo", "{2}-{1.}-{-1/}-{9}"}, {"a.b", "c/d"}) == words{"echo", "c/d-a-d-"});
  CHECK(filled({"awk", "{print $1}", "{", "{0}", "{x}", "{}"}, {"f"}) == words{"awk", "{print $1}", "{", "{0}", "{x}", "f"});
}

TEST_CASE("{%} is replaced in the command, but not in arguments") {
  const std::vector<std::string> argument{"{%}"};
  const auto with_slot = [&](const words& form) {
    return jobs::words_with_slot(jobs::command_template(form).fill(argument, 7), "3");
  };
  CHECK(with_slot({"echo", "{%}", "a{%}b{%}", "{}"}) == words{"echo", "3", "a3b3", "{%}"});
  CHECK(with_slot({"echo \"gpu {%}\" {}"}) == words{"echo \"gpu 3\" '{%}'"});
  CHECK(with_slot({"echo", "{}", "{1}{%}"}) == words{"echo", "{%}", "{%}3"});
}

TEST_CASE("a placeholder for a missing argument list is found") {
  CHECK(jobs::command_template({"a{1}", "b{2/.}{-2}{#}"}).place_beyond(2).empty());
  CHECK(jobs::command_template({"a{1}", "b{2/.}{3}"}).place_beyond(2) == "{3}");
  CHECK(jobs::command_template({"a{-2.}"}).place_beyond(1) == "{-2.}");
  CHECK(jobs::command_template({"awk", "{print $2}"}).place_beyond(1).empty());
}

TEST_CASE("a template of one word with shell syntax is run by a shell, with its arguments quoted") {
  const jobs::command c = jobs::command_template({"wc -l < {} | tr -d x"}).fill(words{"it's $HOME"}, 1);
  CHECK(c.by_shell);
  CHECK(c.words == words{R"(wc -l < 'it'\''s $HOME' | tr -d x)"});
  CHECK(jobs::command_template({"echo a;"}).fill(words{"b"}, 1).words == words{"echo a; b"});
}

TEST_CASE("lines have no line ends; blank lines and comments are skipped") {
  CHECK(lines_of("a\n\n  # no\r\n \t\nb c\r\n#\nlast") == words{"a", "b c", "last"});
  CHECK(lines_of("").empty());
  CHECK(lines_of("\n\n").empty());
  CHECK(lines_of("\xef\xbb\xbf"
                 "a\n") == words{"a"});
  CHECK(lines_of("#a\n\n b \n", {"echo"}) == words{"echo '#a'", "echo ' b '"});
  CHECK(lines_of(std::string("a\nb\0c", 5), {"echo"}, '\0') == words{"echo 'a\nb'", "echo c"});
}

TEST_CASE("a line may be longer than a block, but not longer than a command can be") {
  const std::string long_line(300'000, 'x');
  CHECK(lines_of(long_line + "\nb\n") == words{long_line, "b"});
  CHECK_THROWS_AS(lines_of(std::string(jobs::line_source::longest_line_bytes + 100'000, 'x')), jobs::usage_error);
}

TEST_CASE("a source that waits for input can be stopped") {
  const open_pipe input("");
  jobs::line_source source(input.get(), "input", jobs::command_template());
  std::thread stopper([&] { source.stop(); });
  CHECK_FALSE(source.next());
  stopper.join();
}

TEST_CASE("lists are combined, and the last one varies fastest") {
  jobs::product_source source({{"a", "b"}, {"x", "y"}}, jobs::command_template({"e"}));
  CHECK(source.size() == 4);
  words found;
  while (const auto next = source.next()) found.push_back(std::to_string(next->sequence) + jobs::command_text(*next));
  CHECK(found == words{"1e a x", "2e a y", "3e b x", "4e b y"});
  CHECK_FALSE(jobs::product_source({{"a"}, {}}, jobs::command_template({"e"})).next());
}

TEST_CASE("a separator splits arguments into columns and removes blanks around them") {
  const auto split = [](const std::string& pattern, const words& arguments) {
    return jobs::column_separator(pattern).split(arguments);
  };
  CHECK(split(",", {"a, b ,,c"}) == words{"a", "b", "", "c"});
  CHECK(split(",", {""}) == words{""});
  CHECK(split("\\t", {"a\tb c"}) == words{"a", "b c"});
  CHECK(split("\t", {"a\tb"}) == words{"a", "b"});
  CHECK(split("::", {"a::b:c"}) == words{"a", "b:c"});
  CHECK(split("\\|", {"a|b"}) == words{"a", "b"});
  CHECK(split(" +", {"a  b"}) == words{"a", "b"});
  CHECK(split("\\s+", {"a \t b"}) == words{"a", "b"});
  CHECK(split("[,;\\t]", {"a,b;c\td"}) == words{"a", "b", "c", "d"});
  CHECK(split("[^]]", {"]x]"}) == words{"]", "]"});
  CHECK(split("[[:digit:]]|\\d", {"a1b"}) == words{"a", "b"});
  CHECK(split("-", {"A-B", "C-D"}) == words{"A", "B", "C", "D"});
  CHECK(split("x", {std::string(200'000, 'x')}).size() == 200'001);
}

TEST_CASE("a pattern that cannot separate anything is refused") {
  for (const std::string pattern : {"", "x*", "[", "(", "\\q", "[\\D]", "^", "[[:x"}) {
    CHECK_THROWS_AS(jobs::column_separator(pattern), jobs::usage_error);
  }
}

TEST_CASE("columns replace the placeholders of a template") {
  const auto comma = std::make_shared<jobs::column_separator>(",");
  const written_pipe input("a,b\nc\n");
  jobs::line_source lines(input.get(), "input", jobs::command_template({"e", "{2}{1}", "{}"}), '\n', comma);
  CHECK(lines.next()->words == words{"e", "ba", "a", "b"});
  CHECK(lines.next()->words == words{"e", "c", "c"});  // a missing column is empty
  jobs::product_source lists({{"a,b"}, {"c,d"}}, jobs::command_template({"e", "{4}{3}{2}{1}"}), comma);
  CHECK(lists.next()->words == words{"e", "dcba"});
}

TEST_CASE("a line is run without a shell only if a shell would just split it into words") {
  CHECK(jobs::plain_words(" gzip\t-9  a.txt ") == words{"gzip", "-9", "a.txt"});
  for (const std::string line :
       {"echo a", "exit 3", "cd /", ". x", "a=1 b", "ls *", "a|b", "~/x", "if x", "ls 'a'", "a;b", "", " ", "naïve"}) {
    CHECK(jobs::plain_words(line).empty());
  }
}

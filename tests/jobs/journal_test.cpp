// Tests the values that the command `journal` exports: of every kind of call, by the program that wrote them, and during writing.
#include <gmpxx.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "journal/export.hpp"
#include "support/in_words.hpp"
#include "journal/summary.hpp"
#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/gate.hpp"
#include "support/results.hpp"

#include <rankpool/register_result.hpp>

namespace {

using nlohmann::json;

mpz_class large_square(int n) { return mpz_class(n) * n * mpz_class("1000000000000000000000"); }

std::pair<std::string, std::optional<double>> described(int n, const std::string& text) {
  return {text + ", \"" + std::to_string(n) + "\"", n == 1 ? std::nullopt : std::optional(n / 2.0)};
}

std::vector<double> many(int n) { return std::vector<double>(20'000, n); }  // sent in an out-of-band buffer

struct opaque {
  long value = 0;
  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar& value;
  }
};

RANKPOOL_REGISTER_RESULT(std::pair<std::string, std::optional<double>>)
RANKPOOL_REGISTER_RESULT(opaque)

opaque without_text(int n) { return {n}; }

void only_does(int) {}

/// A journal, and the text that is exported from it.
class exported_journal {
  support::scratch_directory here_;

 public:
  rankpool::journal journal{here_.file("journal"), "values"};

  std::string text(void (*write)(jobs::output&, const rankpool::journal_reader&)) {
    journal.commit();
    const std::string file = here_.file("exported");
    jobs::output out(jobs::output_options{.path = file, .force = true});
    write(out, rankpool::journal_reader(here_.file("journal")));
    out.finish();
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  rankpool::journal_reader reader() {
    journal.commit();
    return rankpool::journal_reader(here_.file("journal"));
  }
};

}  // namespace

TEST_CASE("an open journal is exported with values of maps and reductions, of every type") {
  exported_journal exported;
  rankpool::executor pool(support::cluster());
  const rankpool::map_options options{.chunksize = 2, .journal = exported.journal};
  (void)support::collect(pool.map(options, large_square, std::vector{1, 2, 3}));
  (void)support::collect(pool.starmap(options, described, std::vector{std::tuple(1, "a"), std::tuple(2, "b")}));
  (void)pool.transform_reduce(options, std::views::iota(0, 5), 100L, std::plus<long>(), [](int n) { return long{n}; });
  (void)support::collect(pool.map(options, many, std::vector{4}));
  (void)support::collect(pool.map(options, without_text, std::vector{5}));
  (void)support::collect(pool.map(options, only_does, std::vector{6}));

  const std::string text = exported.text(jobs::export_json);
  CHECK(text.find("\"item\": 2, \"value\": 9000000000000000000000,") != std::string::npos);  // exact beyond 64 bits
  const json all = json::parse(text);
  CHECK(all["subject"] == "values");
  const json& calls = all["calls"];
  REQUIRE(calls.size() == 6);
  CHECK(calls[0]["name"] == "large_square");
  CHECK(calls[0]["items"] == 3);
  CHECK(calls[0]["results"].size() == 3);
  CHECK(calls[1]["results"][0]["value"] == json::parse(R"(["a, \"1\"", null])"));
  CHECK(calls[1]["results"][1]["value"] == json::parse(R"(["b, \"2\"", 1.0])"));
  CHECK(calls[2]["results"].size() == 3);
  CHECK(calls[2]["results"][1]["items"] == json({2, 2}));
  CHECK(calls[2]["results"][1]["value"] == 5);
  CHECK(calls[3]["results"][0]["value"] == json(std::vector<double>(20'000, 4)));
  CHECK(calls[4]["results"][0]["value"].is_null());
  CHECK(calls[4]["results"][0]["bytes"] >= sizeof(opaque));
  CHECK(calls[5]["results"][0]["value"].is_null());

  const std::string lines = exported.text(jobs::export_csv);
  CHECK(lines.starts_with("call,item,value,seconds,rank,host,finished,error\n1,0,1000000000000000000000,"));
  CHECK(lines.find("\n2,0,\"[\"\"a, \\\"\"1\\\"\"\"\",null]\",") != std::string::npos);
  CHECK(lines.find("\n3,2-3,5,") != std::string::npos);
  CHECK(lines.find("\n5,0,,") != std::string::npos);
}

TEST_CASE("the progress of a running call is known, and its total once the input has ended") {
  exported_journal exported;
  rankpool::executor pool(support::cluster());
  auto results = pool.map({.chunksize = 1, .buffersize = 2, .journal = exported.journal}, large_square, std::views::iota(0, 100));
  auto at = results.begin();
  for (int n = 0; n < 10; ++n, ++at) (void)*at;
  const auto before = exported.reader().calls();
  REQUIRE(before.size() == 1);
  CHECK(before[0].done >= 10);
  CHECK(!before[0].items);
  CHECK(jobs::progress_of(before[0]) == "large_square: " + std::to_string(before[0].done) + " items");
  for (; at != results.end(); ++at) (void)*at;
  CHECK(jobs::progress_of(exported.reader().calls()[0]) == "large_square: 100 of 100 items, 100 %");
}

TEST_CASE("progress is 100 % only if all items are done, and one item is singular") {
  const auto progress = [](std::uint64_t done, std::optional<std::uint64_t> items) {
    rankpool::journal_reader::call call;
    call.name = "f";
    call.items = items;
    call.done = done;
    return jobs::progress_of(call);
  };
  CHECK(progress(29, 100) == "f: 29 of 100 items, 29 %");
  CHECK(progress(999'999'999'999'999'999, 1'000'000'000'000'000'000) == "f: 999999999999999999 of 1000000000000000000 items, 99 %");
  CHECK(progress(1, 1) == "f: 1 of 1 item, 100 %");
  CHECK(progress(0, 0) == "f: 0 of 0 items");
  CHECK(progress(1, std::nullopt) == "f: 1 item");
}

TEST_CASE("times and numbers are shown with three digits") {
  using rankpool::journal_reader;
  CHECK(jobs::in_words(0.4521) == "0.452");
  CHECK(jobs::in_words(999.4) == "999");
  CHECK(jobs::in_words(999.6) == "1000");
  CHECK(jobs::in_words(123456.7) == "123457");
  CHECK(jobs::in_words(journal_reader::seconds(0.9996)) == "1000 ms");
  CHECK(jobs::in_words(journal_reader::seconds(90)) == "90 s");
  CHECK(jobs::in_words(journal_reader::seconds(150)) == "2.5 min");
}

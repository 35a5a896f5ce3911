// Tests the parser of integers on the command line.
#include "support/numbers.hpp"

#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/decimal.hpp"
#include "support/in_quotes.hpp"

using jobs::parse_integer;

TEST_CASE("whole numbers are read in every notation") {
  CHECK(parse_integer("0") == 0);
  CHECK(parse_integer("10_000") == 10'000);
  CHECK(parse_integer("+7") == 7);
  CHECK(parse_integer("-12") == -12);
  CHECK(parse_integer("1e12") == 1'000'000'000'000);
  CHECK(parse_integer("1E+3") == 1000);
  CHECK(parse_integer("1.5e6") == 1'500'000);
  CHECK(parse_integer("2.50e1") == 25);
  CHECK(parse_integer("3.0") == 3);
  CHECK(parse_integer("2^40") == 1'099'511'627'776);
  CHECK(parse_integer("0^0") == 1);
  CHECK(parse_integer("1^999999999999999999") == 1);
  CHECK(parse_integer("007") == 7);
}

TEST_CASE("sums and differences are exact beyond a double") {
  CHECK(parse_integer("1e18+1e11") == mpz_class("1000000100000000000"));
  CHECK(parse_integer("2^64-59") == mpz_class("18446744073709551557"));
  CHECK(parse_integer("1e30+1") == mpz_class("1000000000000000000000000000001"));
  CHECK(parse_integer("-5+3-1") == -3);
}

TEST_CASE("an invalid whole number is refused with a message that quotes it") {
  for (const char* text : {"",     "-",  "abc", "12x",  "1.5",   "1e",  "e5",    "1e-2", "_1", "1_",  "1__0", "2^",
                           "2^-1", "1+", "1 2", "0x10", "1.5e0", "--1", "1e2e3", ".5",   "5.", "inf", "nan"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_integer(text), std::invalid_argument);
  }
  CHECK_THROWS_WITH(parse_integer("12x"), support::containing("'12x' is not a whole number"));
}

TEST_CASE("user input is quoted completely, without effect on a terminal") {
  using namespace std::string_literals;
  CHECK(jobs::in_quotes("") == "''");
  CHECK(jobs::in_quotes("1\0\x1b[31m\n2\x7f"s) == "'1\\x00\\x1b[31m\\x0a2\\x7f'");
  CHECK(jobs::in_quotes("zw\xc3\xb6lf") == "'zw\xc3\xb6lf'");
  CHECK(jobs::in_quotes("\xc2\x9b"
                        "31m") == "'\xc2\\x9b31m'");
  CHECK(jobs::in_quotes(std::string(60, 'x')) == "'" + std::string(60, 'x') + "'");
  CHECK(jobs::in_quotes(std::string(61, 'x')) == "'" + std::string(57, 'x') + "...'");
  CHECK(jobs::in_quotes(std::string(56, 'x') + "\xc3\xb6 and more") == "'" + std::string(56, 'x') + "...'");
  CHECK_THROWS_WITH(parse_integer("1\0002"s), support::containing("'1\\x002' is not a whole number"));
  CHECK_THROWS_WITH(jobs::parse_decimal("\0"s), support::containing("'\\x00' is not a number"));
}

TEST_CASE("absurdly large numbers are refused before they are computed") {
  for (const char* text : {"1e999999999", "2^9999999999", "9^9999999999999999999999", "10^100000001"}) {
    INFO(text);
    CHECK_THROWS_WITH(parse_integer(text), support::containing("more than 10^8 digits"));
  }
}

TEST_CASE("a number out of range is refused") {
  CHECK(parse_integer("10", 1, 10) == 10);
  CHECK(parse_integer("-2^63", mpz_class("-9223372036854775808"), 0) == mpz_class("-9223372036854775808"));
  CHECK_THROWS_AS(parse_integer("-1", 0, 10), std::out_of_range);
  CHECK_THROWS_AS(parse_integer("2^64", 0, mpz_class("18446744073709551615")), std::out_of_range);
  CHECK_THROWS_WITH(parse_integer("11", 1, 10), support::containing("from 1 to 10"));
}

TEST_CASE("fractional numbers are printed as in Python") {
  CHECK(jobs::decimal_text(50) == "50.0");
  CHECK(jobs::decimal_text(-0.0) == "-0.0");
  CHECK(jobs::decimal_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(jobs::decimal_text(1e15) == "1000000000000000.0");
  CHECK(jobs::decimal_text(1e16) == "1e+16");
  CHECK(jobs::decimal_text(0.0001) == "0.0001");
  CHECK(jobs::decimal_text(0.00001) == "1e-05");
  CHECK(jobs::decimal_text(1.5e300) == "1.5e+300");
}

TEST_CASE("fractional numbers are read, and whole numbers in every notation") {
  CHECK(jobs::parse_decimal("2.5") == 2.5);
  CHECK(jobs::parse_decimal("+1e-3") == 1e-3);
  CHECK(jobs::parse_decimal("10_000") == 10'000);
  CHECK(jobs::parse_decimal("2^40") == 1'099'511'627'776.0);
  CHECK_THROWS_AS(jobs::parse_decimal("two"), std::invalid_argument);
  CHECK_THROWS_AS(jobs::parse_decimal(""), std::invalid_argument);
}

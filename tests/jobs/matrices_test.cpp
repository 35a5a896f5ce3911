// Tests products and sums of matrix files of every type, order and shape against plain loops, and that verification finds errors.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "jobs/test_run.hpp"
#include "matrices/freivalds.hpp"
#include "matrices/gemm.hpp"
#include "matrices/npy_result.hpp"
#include "matrices/product.hpp"
#include "matrices/reader.hpp"
#include "matrices/sum.hpp"
#include "matrices/sum_check.hpp"
#include "matrices/text.hpp"
#include "matrices/tiles.hpp"
#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/scratch_directory.hpp"

namespace {

namespace fs = std::filesystem;
using jobs::block;
using jobs::element_type;
using jobs::matrix_source;

/// A matrix in memory, in C order.
template <class T>
struct table {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::vector<T> numbers = std::vector<T>(rows * columns);

  T& at(std::uint64_t r, std::uint64_t c) { return numbers[r * columns + c]; }
  const T& at(std::uint64_t r, std::uint64_t c) const { return numbers[r * columns + c]; }
};

template <class T>
constexpr element_type type_of() {
  if constexpr (std::is_same_v<T, std::int32_t>) return element_type::int32;
  if constexpr (std::is_same_v<T, std::int64_t>) return element_type::int64;
  if constexpr (std::is_same_v<T, float>) return element_type::float32;
  return element_type::float64;
}

/// Returns a random matrix. Integers cover the whole range of the type, so that sums and products wrap around.
template <class T>
table<T> random_table(std::uint64_t rows, std::uint64_t columns, std::uint64_t seed) {
  table<T> result{rows, columns};
  for (std::uint64_t i = 0; i < result.numbers.size(); ++i) {
    if constexpr (std::is_integral_v<T>) {
      result.numbers[i] = static_cast<T>(jobs::random_bits(seed, i));
    } else {
      result.numbers[i] = jobs::generated_value<T>(seed, i);
    }
  }
  return result;
}

template <class T>
matrix_source stored(const std::string& path, const table<T>& file_content, bool fortran_order) {
  support::test_run run(path);
  jobs::npy_result file(run, {.type = type_of<T>(), .fortran_order = fortran_order, .shape = {file_content.rows, file_content.columns}});
  const jobs::matrix_target target = file.target();
  rankpool::result_part parts(target.writer);
  for (std::uint64_t r = 0; r < file_content.rows; ++r) {
    for (std::uint64_t c = 0; c < file_content.columns; ++c)
      parts.write(std::as_bytes(std::span(&file_content.at(r, c), 1)), target.offset_of(r, c));
  }
  parts.finish();
  file.finish();
  return jobs::stored_matrix(path);
}

template <class T>
table<T> file_content(const matrix_source& source) {
  table<T> result{source.rows, source.columns};
  if (source.whole().count() > 0) jobs::matrix_reader(source).read(source.whole(), std::span(result.numbers));
  return result;
}

/// Returns the product by its definition; floating-point sums are computed in long double.
template <class T>
table<T> plain_product(const table<T>& a, const table<T>& b) {
  table<T> result{a.rows, b.columns};
  for (std::uint64_t i = 0; i < a.rows; ++i) {
    for (std::uint64_t j = 0; j < b.columns; ++j) {
      if constexpr (std::is_integral_v<T>) {
        std::uint64_t sum = 0;
        for (std::uint64_t k = 0; k < a.columns; ++k)
          sum += static_cast<std::uint64_t>(a.at(i, k)) * static_cast<std::uint64_t>(b.at(k, j));
        result.at(i, j) = static_cast<T>(sum);
      } else {
        long double sum = 0;
        for (std::uint64_t k = 0; k < a.columns; ++k)
          sum += static_cast<long double>(a.at(i, k)) * static_cast<long double>(b.at(k, j));
        result.at(i, j) = static_cast<T>(sum);
      }
    }
  }
  return result;
}

template <class T>
bool is_close(const table<T>& a, const table<T>& b) {
  if constexpr (std::is_integral_v<T>) return a.numbers == b.numbers;
  constexpr T most = 200 * std::numeric_limits<T>::epsilon();
  return std::ranges::equal(a.numbers, b.numbers, [](T x, T y) { return std::abs(x - y) <= most; });
}

/// Computes the product `asked` on the pool, and returns the matrix in the file `path`.
matrix_source product_of(rankpool::executor& pool, jobs::matrix_work& asked, const std::string& path,
                         std::uint64_t rows_per_tile = 0) {
  support::test_run run(path);
  jobs::npy_result file(run, {.type = asked.a.type, .shape = {asked.a.rows, asked.b.columns}});
  asked.target = file.target();
  file.collect(pool.map(rankpool::partial(jobs::write_product, asked), jobs::tiles_of_product(asked, 2, rows_per_tile).all()));
  file.finish();
  asked.target = jobs::stored_matrix(path);
  return asked.target;
}

matrix_source sum_of(rankpool::executor& pool, jobs::matrix_work& asked, const std::string& path, std::uint64_t count = 0) {
  support::test_run run(path);
  jobs::npy_result file(run, {.type = asked.a.type, .shape = {asked.a.rows, asked.a.columns}});
  asked.target = file.target();
  file.collect(pool.map(rankpool::partial(jobs::write_sum, asked), jobs::parts_of_sum(asked, 2, count).all()));
  file.finish();
  asked.target = jobs::stored_matrix(path);
  return asked.target;
}

void write_at(const std::string& path, std::uint64_t offset, std::span<const std::byte> bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  REQUIRE(file.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes)).flush());
}

/// Replaces one number in the file.
template <class T>
void overwrite(const matrix_source& target, std::uint64_t row, std::uint64_t column, T value) {
  write_at(target.path, target.offset_of(row, column), std::as_bytes(std::span(&value, 1)));
}

}  // namespace

TEMPLATE_TEST_CASE("a product of files equals the definition, in every order of storage", "", std::int32_t, std::int64_t, float,
                   double) {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  for (const bool a_by_columns : {false, true}) {
    for (const bool b_by_columns : {false, true}) {
      const auto a = random_table<TestType>(37, 53, 1), b = random_table<TestType>(53, 41, 2);
      jobs::matrix_work asked{stored(folder.file("a.npy"), a, a_by_columns), stored(folder.file("b.npy"), b, b_by_columns), {}};
      CHECK(is_close(file_content<TestType>(product_of(pool, asked, folder.file("c.npy"), 10)), plain_product(a, b)));
      CHECK(jobs::check_product(pool, asked, 2, 7).holds);
    }
  }
}

TEMPLATE_TEST_CASE("a product may have one row, one column, or an inner dimension of 0", "", std::int64_t, double) {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  struct shape {
    std::uint64_t rows, inner, columns;
  };
  for (const shape s :
       {shape{1, 70, 1}, shape{70, 1, 65}, shape{1, 1, 1}, shape{3, 0, 4}, shape{0, 5, 4}, shape{4, 5, 0}, shape{5, 3, 17}}) {
    const auto a = random_table<TestType>(s.rows, s.inner, 1), b = random_table<TestType>(s.inner, s.columns, 2);
    jobs::matrix_work asked{stored(folder.file("a.npy"), a, false), stored(folder.file("b.npy"), b, true), {}};
    CHECK(is_close(file_content<TestType>(product_of(pool, asked, folder.file("c.npy"))), plain_product(a, b)));
    CHECK(jobs::check_product(pool, asked, 2, 7).holds);
  }
}

TEMPLATE_TEST_CASE("numbers that are misaligned in the file are multiplied correctly", "", std::int64_t, double) {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  const auto a = random_table<TestType>(9, 8, 1), b = random_table<TestType>(8, 7, 2);
  matrix_source moved = stored(folder.file("b.npy"), b, false);
  const auto bytes = std::as_bytes(std::span(b.numbers));
  fs::resize_file(moved.path, moved.data_offset + 3 + bytes.size());
  write_at(moved.path, moved.data_offset += 3, bytes);
  jobs::matrix_work asked{stored(folder.file("a.npy"), a, false), moved, {}};
  CHECK(is_close(file_content<TestType>(product_of(pool, asked, folder.file("c.npy"))), plain_product(a, b)));
}

TEMPLATE_TEST_CASE("a product is right if its inner dimension exceeds one call of BLAS", "", float, double) {
  const auto a = random_table<TestType>(4, 13, 1), b = random_table<TestType>(13, 5, 2);
  std::vector<TestType> a_by_columns(a.numbers.size()), b_by_columns(b.numbers.size());
  jobs::transpose(a.numbers.data(), 13, 4, a_by_columns.data());
  jobs::transpose(b.numbers.data(), 5, 13, b_by_columns.data());
  for (const auto& left : {jobs::block_view<TestType>{a.numbers.data(), 13, false}, {a_by_columns.data(), 4, true}}) {
    for (const auto& right : {jobs::block_view<TestType>{b.numbers.data(), 5, false}, {b_by_columns.data(), 13, true}}) {
      table<TestType> c{4, 5};
      std::ranges::fill(c.numbers, TestType{9});  // multiplication must overwrite these, not add to them
      jobs::multiply(left, right, c.numbers.data(), 4, 5, 13, false, 6);
      CHECK(is_close(c, plain_product(a, b)));
    }
  }
}

TEST_CASE("a file that is shorter than its matrix is an error with its name, its size and the required size") {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  const auto numbers = random_table<double>(30, 30, 1);
  jobs::matrix_work asked{stored(folder.file("a.npy"), numbers, false), stored(folder.file("b.npy"), numbers, false), {}};
  fs::resize_file(asked.b.path, 7000);
  CHECK_THROWS_WITH(product_of(pool, asked, folder.file("c.npy")),
                    support::containing("b.npy") && support::containing("7000 bytes") && support::containing("7328"));
}

TEST_CASE("a file that is cut short while it is mapped is an error, wherever it ends") {
  const support::scratch_directory folder;
  const std::string path = folder.file("a");
  constexpr std::uint64_t size = 1 << 20;
  for (const std::uint64_t left : {std::uint64_t{0}, size / 2, size - 1}) {
    std::ofstream(path).close();
    fs::resize_file(path, size);
    const jobs::mapped_file map(path, size);
    const auto* const last = reinterpret_cast<const volatile std::byte*>(map.data() + size - 1);
    CHECK(jobs::can_look([&] { (void)*last; }));
    CHECK_NOTHROW(map.check());
    fs::resize_file(path, left);
    CHECK(jobs::can_look([&] { (void)*last; }) == (left > size - 4096));  // the rest of the last page reads as zeros
    CHECK_THROWS_WITH(map.check(), support::containing(path) && support::containing(std::to_string(left) + " bytes"));
  }
}

TEMPLATE_TEST_CASE("every part of a generated matrix has the numbers of the whole", "", std::int32_t, std::int64_t, float, double) {
  const matrix_source source = jobs::generated_matrix(type_of<TestType>(), 50, 60, 3);
  const auto whole = file_content<TestType>(source);
  std::vector<TestType> part(6);
  jobs::matrix_reader(source).read({10, 20, 2, 3}, std::span(part));
  CHECK(part ==
        std::vector{whole.at(10, 20), whole.at(10, 21), whole.at(10, 22), whole.at(11, 20), whole.at(11, 21), whole.at(11, 22)});
  const auto [least, most] = std::ranges::minmax(whole.numbers);
  CHECK(least >= (std::is_integral_v<TestType> ? -9 : -1));
  CHECK(most <= (std::is_integral_v<TestType> ? 9 : 1));
  CHECK(least < most);
}

TEMPLATE_TEST_CASE("verification finds one wrong number in a product", "", std::int32_t, std::int64_t, float, double) {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  jobs::matrix_work asked{
      jobs::generated_matrix(type_of<TestType>(), 80, 90, 1), jobs::generated_matrix(type_of<TestType>(), 90, 70, 2), {}};
  const matrix_source target = product_of(pool, asked, folder.file("c.npy"));
  REQUIRE(jobs::check_product(pool, asked, 2, 5).holds);
  const TestType right = file_content<TestType>(target).at(41, 69);
  overwrite<TestType>(target, 41, 69, right + 1);
  const jobs::product_check check = jobs::check_product(pool, asked, 2, 5);
  CHECK_FALSE(check.holds);
  CHECK(check.wrong_row == 41);
  overwrite<TestType>(target, 41, 69, right);
  CHECK(jobs::check_product(pool, asked, 2, 5).holds);
}

TEMPLATE_TEST_CASE("verification finds a wrong number in every part of a long product", "", std::int32_t, double) {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  constexpr std::uint64_t parts_long = 300'000;
  struct shape {
    std::uint64_t rows, inner, columns, wrong;
  };
  for (const shape s : {shape{2, parts_long, 1, 1}, shape{parts_long, 2, 1, parts_long - 1}}) {
    const element_type type = type_of<TestType>();
    jobs::matrix_work asked{
        jobs::generated_matrix(type, s.rows, s.inner, 1), jobs::generated_matrix(type, s.inner, s.columns, 2), {}};
    const matrix_source target = product_of(pool, asked, folder.file("c.npy"));
    CHECK(jobs::check_product(pool, asked, 2, 5).holds);
    overwrite<TestType>(target, s.wrong, 0, 12345);
    const jobs::product_check check = jobs::check_product(pool, asked, 2, 5);
    CHECK_FALSE(check.holds);
    CHECK(check.wrong_row == s.wrong);
  }
}

TEST_CASE("verification accepts rounding errors of large numbers, and skips rows with nan or inf") {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  table<float> a{20, 3000}, b{3000, 30};
  std::ranges::fill(a.numbers, 0.1F);
  std::ranges::fill(b.numbers, 1e7F);
  a.at(3, 5) = std::numeric_limits<float>::quiet_NaN();
  a.at(4, 5) = -std::numeric_limits<float>::infinity();
  a.at(6, 1) = std::numeric_limits<float>::max();
  jobs::matrix_work asked{stored(folder.file("a.npy"), a, false), stored(folder.file("b.npy"), b, false), {}};
  const matrix_source target = product_of(pool, asked, folder.file("c.npy"));
  const jobs::product_check check = jobs::check_product(pool, asked, 2, 5);
  CHECK(check.holds);
  CHECK(check.untested_rows == 3);
  overwrite(target, 7, 7, std::numeric_limits<float>::quiet_NaN());
  CHECK(jobs::check_product(pool, asked, 2, 5).wrong_row == 7);
}

TEMPLATE_TEST_CASE("a sum of files equals the definition, in every order of storage and division", "", std::int32_t, std::int64_t,
                   float, double) {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  struct shape {
    std::uint64_t rows, columns;
  };
  for (const shape s : {shape{37, 53}, shape{1, 100}, shape{100, 1}, shape{0, 3}, shape{3, 0}}) {
    const auto a = random_table<TestType>(s.rows, s.columns, 1), b = random_table<TestType>(s.rows, s.columns, 2);
    auto expected = a;
    jobs::add(expected.numbers.data(), b.numbers.data(), b.numbers.size());
    for (const bool b_by_columns : {false, true}) {
      for (const std::uint64_t count : {0, 10, 100}) {
        jobs::matrix_work asked{stored(folder.file("a.npy"), a, false), stored(folder.file("b.npy"), b, b_by_columns), {}};
        CHECK(file_content<TestType>(sum_of(pool, asked, folder.file("c.npy"), count)).numbers == expected.numbers);
        CHECK(jobs::check_sum(pool, asked, 7).failure.empty());
      }
    }
  }
}

TEST_CASE("whole numbers wrap around when they are added") {
  std::vector<std::int64_t> a{std::numeric_limits<std::int64_t>::max(), -1};
  const std::vector<std::int64_t> b{1, std::numeric_limits<std::int64_t>::min()};
  jobs::add(a.data(), b.data(), 2);
  CHECK(a == std::vector{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()});
}

TEMPLATE_TEST_CASE("verification finds a wrong number in a sum", "", std::int32_t, std::int64_t, float, double) {
  const support::scratch_directory folder;
  rankpool::executor pool(support::cluster());
  const auto a = random_table<TestType>(200, 300, 1), b = random_table<TestType>(200, 300, 2);
  jobs::matrix_work asked{stored(folder.file("a.npy"), a, false), stored(folder.file("b.npy"), b, true), {}};
  const matrix_source target = sum_of(pool, asked, folder.file("c.npy"));
  REQUIRE(jobs::check_sum(pool, asked, 5).failure.empty());
  overwrite<TestType>(target, 150, 299, 3);
  CHECK_FALSE(jobs::check_sum(pool, asked, 5).failure.empty());
  for (std::uint64_t column = 0; column < 300; ++column) overwrite<TestType>(target, 100, column, 3);
  CHECK_FALSE(jobs::check_sum(pool, asked, 6).failure.empty());
}

TEST_CASE("tiles cover a matrix once, and none exceeds the limit") {
  for (const auto& [rows, columns] : {std::pair<std::uint64_t, std::uint64_t>{100, 7}, {1, 1000}, {33, 65}, {1000, 1}}) {
    for (const jobs::tiles& cut : {jobs::cut(rows, columns, 10, 6), jobs::bands(rows, columns, 30)}) {
      std::vector<int> seen(rows * columns);
      for (const block& tile : cut.all()) {
        CHECK(tile.count() > 0);
        for (std::uint64_t r = 0; r < tile.rows; ++r) {
          for (std::uint64_t c = 0; c < tile.columns; ++c) ++seen[(tile.row + r) * columns + tile.column + c];
        }
      }
      CHECK(std::ranges::count(seen, 1) == static_cast<std::ptrdiff_t>(seen.size()));
    }
  }
  CHECK(jobs::cut(0, 5, 1, 1).count() == 0);
  CHECK(jobs::cut(5, 0, 1, 1).count() == 0);
}

TEST_CASE("each number of a printed matrix has the shortest text that its type allows") {
  const std::vector<float> fractions{0.1F, -2, 1e20F, std::numeric_limits<float>::infinity()};
  CHECK(jobs::text_of_rows(std::span(fractions), 2) == "[0.1, -2.0]\n[1e+20, inf]\n");
  const std::vector<std::int64_t> whole{1, std::numeric_limits<std::int64_t>::min()};
  CHECK(jobs::text_of_rows(std::span(whole), 1) == "[1]\n[-9223372036854775808]\n");
}

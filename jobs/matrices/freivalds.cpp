#include "matrices/freivalds.hpp"

#include <boost/serialization/vector.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include "matrices/reader.hpp"
#include "matrices/tiles.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t vectors = product_check::vectors;
constexpr std::uint64_t band_count = 4 << 20;       // most numbers per task, unless one row has more
constexpr std::uint64_t piece_count = 1 << 20;      // most numbers that a task reads at once
constexpr std::uint64_t piece_columns = 8 << 10;    // most entries of each vector used at once
constexpr std::uint64_t rows_in_flight = 64 << 10;  // most rows whose images wait for rank 0
constexpr std::uint64_t rows_held = 128 << 10;      // most rows of A or B whose images rank 0 holds: 17 MiB

// The arithmetic of the test: integers modulo 2^64, floating-point numbers as double.
template <class T>
using exact = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

template <class Number>
Number random_entry(std::uint64_t seed, std::uint64_t row, std::uint64_t vector) {
  const std::uint64_t bits = random_bits(seed, row * vectors + vector);
  if constexpr (std::is_integral_v<Number>) {
    return bits;
  } else {
    return bits % 2 == 0 ? 1.0 : -1.0;
  }
}

/// A band of rows times `vectors` columns of x. For floating-point numbers, also the sum of squares of each row.
template <class Number>
struct images {
  std::vector<Number> products;
  std::vector<double> squares;

  explicit images(std::uint64_t rows = 0) : products(rows * vectors), squares(rows) {}
  std::uint64_t rows() const { return squares.size(); }

  /// Adds the images of the same rows over other columns, from `row` on.
  void add(std::uint64_t row, const images& other) {
    for (std::size_t i = 0; i < other.products.size(); ++i) products[row * vectors + i] += other.products[i];
    for (std::size_t i = 0; i < other.squares.size(); ++i) squares[row + i] += other.squares[i];
  }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& products& squares;
  }
};

/// Multiplies a band. `x` returns rows [first, first + count) of all vectors; row 0 corresponds to the band's first column.
template <class T, class X>
images<exact<T>> multiply_band(const matrix_source& matrix, const block& band, X x) {
  using number = exact<T>;
  images<number> result(band.rows);
  matrix_reader reader(matrix);
  std::vector<T> numbers;
  const std::uint64_t width = std::clamp<std::uint64_t>(band.columns, 1, piece_columns);
  for (const block& piece : cut(band.rows, band.columns, piece_count / width, width).all()) {
    numbers.resize(piece.count());
    reader.read<T>({piece.row + band.row, piece.column + band.column, piece.rows, piece.columns}, std::span(numbers));
    const std::span<const number> entries = x(piece.column, piece.columns);
    for (std::uint64_t r = 0; r < piece.rows; ++r) {
      std::array<number, vectors> sums{};
      double squares = 0;
      for (std::uint64_t k = 0; k < piece.columns; ++k) {
        const auto value = static_cast<number>(numbers[r * piece.columns + k]);
        for (std::uint64_t v = 0; v < vectors; ++v) sums[v] += value * entries[k * vectors + v];
        if constexpr (std::is_floating_point_v<T>) squares += value * value;
      }
      for (std::uint64_t v = 0; v < vectors; ++v) result.products[(piece.row + r) * vectors + v] += sums[v];
      result.squares[piece.row + r] += squares;
    }
  }
  return result;
}

// The task for B and C: multiplies a band by the random vectors. It generates the entries of these vectors itself.
template <class T>
images<exact<T>> project(const matrix_source& matrix, std::uint64_t seed, const block& band) {
  using number = exact<T>;
  std::vector<number> made;
  return multiply_band<T>(matrix, band, [&](std::uint64_t first, std::uint64_t count) -> std::span<const number> {
    made.resize(count * vectors);
    for (std::uint64_t i = 0; i < made.size(); ++i) made[i] = random_entry<number>(seed, first + i / vectors, i % vectors);
    return made;
  });
}

// The task for A: multiplies some columns of a band by the images of the corresponding rows of B.
template <class T>
images<exact<T>> multiply_images(const matrix_source& a, const rankpool::shared<std::vector<exact<T>>>& of_b, const block& band) {
  const std::span<const exact<T>> all = *of_b;
  return multiply_band<T>(
      a, band, [all](std::uint64_t first, std::uint64_t count) { return all.subspan(first * vectors, count * vectors); });
}

/// Returns the largest difference that rounding explains in a row. Rounding errors of a product entry are at most `steps` units
/// relative to |a| |b|. Random signs add them up like a root mean square; eight times that value is never exceeded.
template <class T>
double tolerance(double row_norm, double matrix_norm, std::uint64_t inner) {
  const auto n = static_cast<double>(inner);
  const double steps = std::min(n + 2, 256 + 2 * std::sqrt(n));
  constexpr double unit = std::numeric_limits<T>::epsilon() / 2;
  return 8 * (steps * unit + 64 * std::numeric_limits<double>::epsilon()) * row_norm * matrix_norm +
         std::numeric_limits<T>::min() * n;
}

template <class T>
bool may_overflow(double row_norm, double matrix_norm) {
  return !(row_norm * matrix_norm < std::numeric_limits<T>::max() / 2);  // true for NaN, too
}

/// Compares A (B x) with C x row by row, from `row` of the product on.
template <class T>
void compare(const images<exact<T>>& expected, std::uint64_t first, const images<exact<T>>& found, double norm_of_b,
             std::uint64_t inner, std::uint64_t row, product_check& result) {
  for (std::uint64_t r = 0; r < found.rows(); ++r) {
    double bound = 0;
    if constexpr (std::is_floating_point_v<T>) {
      const double norm = std::sqrt(expected.squares[first + r]);
      if (may_overflow<T>(norm, norm_of_b)) {
        ++result.untested_rows;
        continue;
      }
      bound = tolerance<T>(norm, norm_of_b, inner);
    }
    for (std::uint64_t v = 0; v < vectors && result.holds; ++v) {
      const exact<T> left = expected.products[(first + r) * vectors + v];
      const exact<T> right = found.products[r * vectors + v];
      if constexpr (std::is_integral_v<T>) {
        result.holds = static_cast<T>(left) == static_cast<T>(right);
      } else {
        result.holds = std::abs(left - right) <= bound;
      }
      if (!result.holds) result.wrong_row = row + r;
    }
  }
}

/// Divides rows [0, count) into parts of at most `rows_held` rows, as blocks of one column.
auto parts(std::uint64_t count) { return cut(count, 1, rows_held, 1).all(); }

/// Divides a part of a matrix into bands, one per task.
auto bands_of(const block& part, int workers) {
  const std::uint64_t most_rows =
      std::clamp<std::uint64_t>(rows_in_flight / static_cast<std::uint64_t>(std::max(workers, 1)), 16, 1024);
  const tiles cut_part =
      cut(part.rows, part.columns, std::clamp<std::uint64_t>(band_count / std::max<std::uint64_t>(part.columns, 1), 1, most_rows),
          part.columns);
  return cut_part.all() | std::views::transform([part](block band) {
           band.row += part.row;
           band.column += part.column;
           return band;
         });
}

/// Runs `task` on the bands of a part, and calls `take(first row within the part, images)` in order.
template <class Task, class Take>
void for_each_image(rankpool::executor& pool, int workers, Task task, const block& part, Take take) {
  std::uint64_t row = 0;
  for (const auto& image : pool.map({.chunksize = 1, .buffersize = 4 * pool.num_workers()}, task, bands_of(part, workers))) {
    take(row, image);
    row += image.rows();
  }
}

template <class T>
product_check check(rankpool::executor& pool, const matrix_work& work, int workers, std::uint64_t seed) {
  using number = exact<T>;
  product_check result;
  for (const block& rows : parts(work.a.rows)) {
    images<number> expected(rows.rows);
    double squares_of_b = 0;
    for (const block& inner : parts(work.b.rows)) {
      images<number> of_b(inner.rows);
      for_each_image(pool, workers, rankpool::partial(project<T>, work.b, seed), {inner.row, 0, inner.rows, work.b.columns},
                     [&](std::uint64_t row, const images<number>& image) { of_b.add(row, image); });
      squares_of_b = std::accumulate(of_b.squares.begin(), of_b.squares.end(), squares_of_b);
      for_each_image(pool, workers, rankpool::partial(multiply_images<T>, work.a, pool.share(std::move(of_b.products))),
                     {rows.row, inner.row, rows.rows, inner.rows},
                     [&](std::uint64_t row, const images<number>& image) { expected.add(row, image); });
    }
    for_each_image(pool, workers, rankpool::partial(project<T>, work.target, seed), {rows.row, 0, rows.rows, work.b.columns},
                   [&](std::uint64_t row, const images<number>& found) {
                     compare<T>(expected, row, found, std::sqrt(squares_of_b), work.a.columns, rows.row + row, result);
                   });
  }
  return result;
}

}  // namespace

std::uint64_t tasks_to_check(const matrix_work& work, int workers) {
  const auto count = [workers](const block& part) { return bands_of(part, workers).size(); };
  std::uint64_t tasks = 0;
  for (const block& rows : parts(work.a.rows)) {
    for (const block& inner : parts(work.b.rows)) {
      tasks += count({0, 0, inner.rows, work.b.columns}) + count({0, 0, rows.rows, inner.rows});
    }
    tasks += count({0, 0, rows.rows, work.b.columns});
  }
  return tasks;
}

product_check check_product(rankpool::executor& pool, const matrix_work& work, int workers, std::uint64_t seed) {
  return with_element(work.a.type, [&]<class T>(T) { return check<T>(pool, work, workers, seed); });
}

}  // namespace jobs

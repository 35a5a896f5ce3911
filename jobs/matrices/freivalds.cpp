#include "matrices/freivalds.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "matrices/reader.hpp"
#include "matrices/tiles.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t vectors = product_check::vectors;
constexpr std::uint64_t band_count = 4 << 20;
constexpr std::uint64_t piece_count = 1 << 20;

// What the test computes in: whole numbers modulo 2^64, fractions as double.
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

/// A band of rows times `vectors` columns of x, and the sum of the squares of each row's numbers (fractions alone).
template <class Number>
struct images {
  std::vector<Number> products;
  std::vector<double> squares;
};

/// `x` gives the entries of rows [first, first + count) of all vectors.
template <class T, class X>
images<exact<T>> multiply_band(const matrix_source& matrix, const block& band, X x) {
  using number = exact<T>;
  images<number> result{std::vector<number>(band.rows * vectors), std::vector<double>(band.rows)};
  matrix_reader reader(matrix);
  std::vector<T> numbers;
  for (const block& piece : squarish(band.rows, band.columns, piece_count).all()) {
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

/// The random vectors themselves, made where they are needed.
template <class Number>
auto random_vectors(std::uint64_t seed) {
  return [seed, made = std::vector<Number>()](std::uint64_t first, std::uint64_t count) mutable -> std::span<const Number> {
    made.resize(count * vectors);
    for (std::uint64_t i = 0; i < made.size(); ++i) made[i] = random_entry<Number>(seed, first + i / vectors, i % vectors);
    return made;
  };
}

// The task of the first half: a band of B x. Last comes the sum of the squares of the band's numbers.
template <class T>
std::vector<exact<T>> project(const matrix_source& b, std::uint64_t seed, const block& band) {
  auto image = multiply_band<T>(b, band, random_vectors<exact<T>>(seed));
  double squares = 0;
  for (const double row : image.squares) squares += row;
  image.products.push_back(static_cast<exact<T>>(squares));
  return std::move(image.products);
}

/// How far apart both sides of a row may be. Rounding leaves each number of the product with an error of `steps` units at
/// most, relative to |a| |b|; random signs add these up as their root mean square, which eight times over is never exceeded.
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
  return !(row_norm * matrix_norm < std::numeric_limits<T>::max() / 2);  // true for nan, too
}

// The task of the second half: a band of A (B x) against the same band of C x. Returns the first wrong row (its number and
// 1, or 0 and 0), and the number of rows that could not be tested.
template <class T>
std::vector<std::uint64_t> compare(const product& work, std::uint64_t seed, double norm_of_b,
                                   const rankpool::shared<std::vector<exact<T>>>& projected, const block& band) {
  const std::span<const exact<T>> all = *projected;
  const auto stored = [all](std::uint64_t first, std::uint64_t count) { return all.subspan(first * vectors, count * vectors); };
  const auto expected = multiply_band<T>(work.a, {band.row, 0, band.rows, work.a.columns}, stored);
  const auto found = multiply_band<T>(work.target, band, random_vectors<exact<T>>(seed));
  std::uint64_t untested = 0;
  for (std::uint64_t r = 0; r < band.rows; ++r) {
    double bound = 0;
    if constexpr (std::is_floating_point_v<T>) {
      const double norm = std::sqrt(expected.squares[r]);
      if (may_overflow<T>(norm, norm_of_b)) {
        ++untested;
        continue;
      }
      bound = tolerance<T>(norm, norm_of_b, work.a.columns);
    }
    for (std::uint64_t v = 0; v < vectors; ++v) {
      const exact<T> left = expected.products[r * vectors + v];
      const exact<T> right = found.products[r * vectors + v];
      if constexpr (std::is_integral_v<T>) {
        if (static_cast<T>(left) != static_cast<T>(right)) return {band.row + r, 1, untested};
      } else {
        if (!(std::abs(left - right) <= bound)) return {band.row + r, 1, untested};
      }
    }
  }
  return {0, 0, untested};
}

tiles bands_of_factor(const product& work) { return bands(work.b.rows, work.b.columns, band_count); }

tiles bands_of_product(const product& work) {
  const std::uint64_t longest = std::max({work.a.columns, work.b.columns, std::uint64_t{1}});
  return cut(work.a.rows, work.b.columns, std::max<std::uint64_t>(1, band_count / longest), work.b.columns);
}

template <class T>
product_check check(rankpool::executor& pool, const product& work, std::uint64_t seed) {
  using number = exact<T>;
  std::vector<number> projected;
  projected.reserve(work.b.rows * vectors);
  double squares = 0;
  const auto project_band = rankpool::partial(project<T>, work.b, seed);
  for (const auto& part :
       pool.map({.chunksize = 1, .buffersize = 4 * pool.num_workers()}, project_band, bands_of_factor(work).all())) {
    projected.insert(projected.end(), part.begin(), part.end() - 1);
    squares += static_cast<double>(part.back());
  }
  projected.resize(work.b.rows * vectors);

  product_check result;
  const auto compare_band = rankpool::partial(compare<T>, work, seed, std::sqrt(squares), pool.share(std::move(projected)));
  for (const auto& part :
       pool.map({.chunksize = 1, .buffersize = 16 * pool.num_workers()}, compare_band, bands_of_product(work).all())) {
    if (part[1] != 0 && result.holds) {
      result.holds = false;
      result.wrong_row = part[0];
    }
    result.untested_rows += part[2];
  }
  return result;
}

}  // namespace

std::uint64_t tasks_to_check(const product& work) { return bands_of_factor(work).count() + bands_of_product(work).count(); }

product_check check_product(rankpool::executor& pool, const product& work, std::uint64_t seed) {
  return with_element(work.a.type, [&]<class T>(T) { return check<T>(pool, work, seed); });
}

}  // namespace jobs

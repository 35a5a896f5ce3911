#include "matrices/sum_check.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include "matrices/reader.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t band_count = 8 << 20;
constexpr std::uint64_t piece_count = 64 << 10;
constexpr std::uint64_t samples_in_task = 500;

struct total {
  std::uint64_t whole = 0;  // sum of integers, modulo 2^64
  double fraction = 0;
  double magnitude = 0;

  friend total operator+(const total& a, const total& b) {
    return {a.whole + b.whole, a.fraction + b.fraction, a.magnitude + b.magnitude};
  }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& whole& fraction& magnitude;
  }
};

template <class T>
total total_of(std::span<const T> numbers) {
  total result;
  if constexpr (std::is_integral_v<T>) {
    for (const T n : numbers) result.whole += static_cast<std::uint64_t>(n);
  } else {
    double sums[8] = {}, magnitudes[8] = {};  // independent sums, so that the additions overlap
    for (std::uint64_t i = 0; i < numbers.size(); ++i) {
      sums[i % 8] += static_cast<double>(numbers[i]);
      magnitudes[i % 8] += std::abs(static_cast<double>(numbers[i]));
    }
    for (const double s : sums) result.fraction += s;
    for (const double m : magnitudes) result.magnitude += m;
  }
  return result;
}

// The task: computes the total of a part of a file, in the order of the file.
total total_of_part(const matrix_source& matrix, const block& part) {
  return with_element(matrix.type, [&]<class T>(T) {
    matrix_reader reader(matrix);
    std::vector<T> numbers;
    total result;
    for (const block& piece : pieces(part.rows, part.columns, piece_count).all()) {
      numbers.resize(piece.count());
      reader.read<T>({part.row + piece.row, part.column + piece.column, piece.rows, piece.columns}, std::span(numbers));
      result = result + total_of(std::span<const T>(numbers));
    }
    return result;
  });
}

/// Returns the matrix in the order of its file, for operations that do not depend on rows and columns.
matrix_source in_order(const matrix_source& matrix) { return matrix.fortran_order ? matrix.transposed() : matrix; }

tiles parts_for_total(const matrix_source& stored) { return pieces(stored.rows, stored.columns, band_count); }

total total_of_matrix(rankpool::executor& pool, const matrix_source& matrix) {
  const matrix_source stored = in_order(matrix);
  total result;
  for (const total& part : pool.map({.chunksize = 1, .buffersize = 16 * pool.num_workers()},
                                    rankpool::partial(total_of_part, stored), parts_for_total(stored).all())) {
    result = result + part;
  }
  return result;
}

// The task: returns how many of the random samples [first, first + samples_in_task) differ from the sum.
std::uint64_t wrong_samples(const matrix_work& work, std::uint64_t seed, std::uint64_t first) {
  return with_element(work.a.type, [&]<class T>(T) {
    const matrix_reader a(work.a), b(work.b), c(work.target);
    std::uint64_t wrong = 0;
    for (std::uint64_t i = first; i < first + samples_in_task; ++i) {
      const auto place = [&](std::uint64_t of, std::uint64_t extent) {
        const double at = generated_value<double>(seed + of, i) / 2 + 0.5;
        return std::min(extent - 1, static_cast<std::uint64_t>(at * static_cast<double>(extent)));
      };
      const std::uint64_t row = place(0, work.a.rows), column = place(1, work.a.columns);
      T expected = a.at<T>(row, column);
      const T other = b.at<T>(row, column);
      add(&expected, &other, 1);
      const T found = c.at<T>(row, column);
      wrong += !(found == expected || (found != found && expected != expected));
    }
    return wrong;
  });
}

/// Returns whether `c` may be the total of the sums, given the totals `a` and `b` and the rounding of each sum to its type.
bool agree(const total& a, const total& b, const total& c, element_type type) {
  switch (type) {
    case element_type::int32: return static_cast<std::uint32_t>(a.whole + b.whole) == static_cast<std::uint32_t>(c.whole);
    case element_type::int64: return a.whole + b.whole == c.whole;
    default: {
      const double unit =
          type == element_type::float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
      const double adding_up =
          (a.magnitude + b.magnitude + c.magnitude) * (static_cast<double>(piece_count) * std::numeric_limits<double>::epsilon());
      return std::abs(a.fraction + b.fraction - c.fraction) <= unit * c.magnitude + adding_up;
    }
  }
}

}  // namespace

std::uint64_t tasks_to_check(const matrix_work& work) {
  if (work.a.whole().count() == 0) return 0;
  std::uint64_t tasks = sum_check::samples / samples_in_task;
  for (const matrix_source& matrix : {work.a, work.b, matrix_source(work.target)})
    tasks += parts_for_total(in_order(matrix)).count();
  return tasks;
}

sum_check check_sum(rankpool::executor& pool, const matrix_work& work, std::uint64_t seed) {
  sum_check result;
  if (work.a.whole().count() == 0) return result;
  const auto firsts = std::views::iota(std::uint64_t{0}, sum_check::samples / samples_in_task) |
                      std::views::transform([](std::uint64_t i) { return i * samples_in_task; });
  std::uint64_t wrong = 0;
  for (const std::uint64_t found : pool.map({.chunksize = 1}, rankpool::partial(wrong_samples, work, seed), firsts)) wrong += found;
  const total a = total_of_matrix(pool, work.a), b = total_of_matrix(pool, work.b), c = total_of_matrix(pool, work.target);
  result.totals_tested = std::isfinite(a.magnitude) && std::isfinite(b.magnitude) && std::isfinite(c.magnitude);
  if (wrong > 0) {
    result.failure =
        std::to_string(wrong) + " of " + std::to_string(sum_check::samples) + " numbers at random places are not the sum";
  } else if (result.totals_tested && !agree(a, b, c, work.a.type)) {
    result.failure = "the totals of the two matrices do not add up to the total of the sum";
  }
  return result;
}

}  // namespace jobs

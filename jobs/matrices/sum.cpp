#include "matrices/sum.hpp"

#include <algorithm>
#include <span>
#include <type_traits>
#include <vector>

#include "matrices/reader.hpp"
#include "matrices/text.hpp"
#include "matrices/writer.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t task_bytes = 64 << 20;  // per task and matrix if both have the same order
constexpr std::uint64_t tile_bytes = 30 << 20;  // per task if the orders differ: small enough for the allocator to reuse it
// The bytes of a column that are read at once: a page. This makes tiles wide, so the result is written in long runs.
constexpr std::uint64_t column_piece_bytes = 4 << 10;
constexpr std::uint64_t piece_bytes = 256 << 10;  // read, added and written while it is in the L2 cache

bool streams(const matrix_work& asked) { return asked.a.fortran_order == asked.b.fortran_order; }

template <class T>
void add_part(matrix_reader& a, matrix_reader& b, const block& part, std::vector<T>& left, std::vector<T>& right) {
  left.resize(part.count());
  right.resize(part.count());
  a.read(part, std::span(left));
  b.read(part, std::span(right));
  add(left.data(), right.data(), part.count());
}

}  // namespace

tiles parts_of_sum(const matrix_work& asked, int workers, std::uint64_t count) {
  const std::uint64_t most = (streams(asked) ? task_bytes : tile_bytes) / size_of(asked.a.type);
  const std::uint64_t least = most / 64;
  const std::uint64_t fair = asked.a.whole().count() / (8 * static_cast<std::uint64_t>(std::max(workers, 1)));
  const std::uint64_t chosen = count > 0 ? std::min(count, most) : std::clamp(fair, least, most);
  if (!streams(asked)) {
    const std::uint64_t height =
        std::clamp<std::uint64_t>(asked.a.rows, 1, std::min(chosen, column_piece_bytes / size_of(asked.a.type)));
    return cut(asked.a.rows, asked.a.columns, height, chosen / height);
  }
  return pieces(asked.a.rows, asked.a.columns, chosen);
}

std::uint64_t write_sum(const matrix_work& work, const block& part) {
  return with_element(work.a.type, [&]<class T>(T) {
    matrix_reader a(work.a), b(work.b);
    matrix_writer target(work.target);
    std::vector<T> left, right;
    const std::uint64_t at_once = streams(work) ? piece_bytes / sizeof(T) : part.count();
    for (block piece : pieces(part.rows, part.columns, at_once).all()) {
      piece.row += part.row;
      piece.column += part.column;
      add_part(a, b, piece, left, right);
      target.write(piece, std::span<const T>(left));
    }
    target.finish();
    return part.count();
  });
}

std::string sum_text(const matrix_work& work, const block& part) {
  return with_element(work.a.type, [&]<class T>(T) {
    matrix_reader a(work.a), b(work.b);
    std::vector<T> left, right;
    add_part(a, b, part, left, right);
    return text_of_rows(std::span<const T>(left), part.columns);
  });
}

template <class T>
void add(T* a, const T* b, std::uint64_t count) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    for (std::uint64_t i = 0; i < count; ++i) a[i] = static_cast<T>(static_cast<U>(a[i]) + static_cast<U>(b[i]));
  } else {
    for (std::uint64_t i = 0; i < count; ++i) a[i] += b[i];
  }
}

template void add(std::int32_t*, const std::int32_t*, std::uint64_t);
template void add(std::int64_t*, const std::int64_t*, std::uint64_t);
template void add(float*, const float*, std::uint64_t);
template void add(double*, const double*, std::uint64_t);

}  // namespace jobs

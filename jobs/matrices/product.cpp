#include "matrices/product.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "matrices/gemm.hpp"
#include "matrices/reader.hpp"
#include "matrices/text.hpp"
#include "matrices/writer.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t most_tile_bytes = 30 << 20;    // small enough for the allocator to reuse it for the next task
constexpr std::uint64_t most_copied_bytes = 30 << 20;  // of each factor
constexpr std::uint64_t most_copied_depth = 8192;      // most columns of A that are copied at once, so that many rows fit

/// Returns whether BLAS can read a memory-mapped file: its numbers must be aligned.
bool can_stay_in_file(const matrix_source& source) {
  return !source.is_generated() && source.data_offset % size_of(source.type) == 0 && fits_blas(source.stride());
}

/// One factor of a tile: a band of A (part.columns is all) or of B (part.rows is all), read section by section.
template <class T>
class factor {
 public:
  explicit factor(const matrix_source& source) : reader_(source) {
    if (std::is_floating_point_v<T> && can_stay_in_file(source))
      map_.emplace(source.path, source.data_offset + source.whole().count() * sizeof(T));
  }

  bool is_in_place() const { return map_.has_value(); }
  /// Throws: file_error if the file has become shorter.
  void check() const {
    if (map_) map_->check();
  }

  block_view<T> look_at(const block& part) {
    if (map_) {
      const matrix_source& source = reader_.source();
      const auto* const first = reinterpret_cast<const T*>(map_->data() + source.offset_of(part.row, part.column));
      return {first, source.stride(), source.fortran_order};
    }
    copy_.resize(part.count());
    reader_.read(part, std::span(copy_));
    return {copy_.data(), part.columns, false};
  }

 private:
  matrix_reader reader_;
  std::optional<mapped_file> map_;
  std::vector<T> copy_;
};

template <class T>
std::vector<T> multiply_tile(const matrix_work& work, const block& tile) {
  const std::uint64_t inner = work.a.columns;
  std::vector<T> result(tile.count());
  if (inner == 0) return result;

  factor<T> a(work.a), b(work.b);
  const auto fitting = [](std::uint64_t extent) { return std::max<std::uint64_t>(1, most_copied_bytes / sizeof(T) / extent); };
  std::uint64_t depth = inner;
  if (!b.is_in_place()) depth = std::min(depth, fitting(tile.columns));
  if (!a.is_in_place()) depth = std::min(depth, most_copied_depth);
  const std::uint64_t height = a.is_in_place() ? tile.rows : std::min(tile.rows, fitting(depth));

  bool whole = true;
  for (std::uint64_t k = 0; k < inner && whole; k += depth) {
    const std::uint64_t length = std::min(depth, inner - k);
    const block_view<T> right = b.look_at({k, tile.column, length, tile.columns});
    for (std::uint64_t row = 0; row < tile.rows && whole; row += height) {
      const std::uint64_t rows = std::min(height, tile.rows - row);
      const block_view<T> left = a.look_at({tile.row + row, k, rows, length});
      T* const target = result.data() + row * tile.columns;
      if constexpr (std::is_floating_point_v<T>) {
        whole = can_look([&] { multiply(left, right, target, rows, tile.columns, length, k > 0); });
      } else {
        multiply_and_add(left.first, right.first, target, rows, tile.columns, length);
      }
    }
  }
  a.check();
  b.check();
  if (!whole) throw file_error(EIO, std::generic_category(), "cannot read " + work.a.path + " or " + work.b.path);
  return result;
}

}  // namespace

tiles tiles_of_product(const matrix_work& asked, int workers, std::uint64_t rows_per_tile) {
  constexpr std::uint64_t most_columns = 4096;
  constexpr std::uint64_t fewest_rows = 64;  // with fewer rows, packing B costs as much as multiplying by it
  const std::uint64_t columns = std::clamp<std::uint64_t>(asked.b.columns, 1, most_columns);
  const std::uint64_t most_rows = most_tile_bytes / size_of(asked.a.type) / columns;
  const std::uint64_t wanted = 4 * static_cast<std::uint64_t>(std::max(workers, 1));
  const std::uint64_t across = (asked.b.columns + columns - 1) / columns;
  const std::uint64_t fair = (asked.a.rows * across + wanted - 1) / wanted;
  const std::uint64_t rows = rows_per_tile > 0 ? std::min(rows_per_tile, most_rows) : std::clamp(fair, fewest_rows, most_rows);
  return cut(asked.a.rows, asked.b.columns, rows, columns);
}

std::uint64_t write_product(const matrix_work& work, const block& tile) {
  return with_element(work.a.type, [&]<class T>(T) {
    const std::vector<T> result = multiply_tile<T>(work, tile);
    matrix_writer target(work.target);
    target.write(tile, std::span<const T>(result));
    target.finish();
    return tile.count();
  });
}

std::string product_text(const matrix_work& work, const block& tile) {
  return with_element(work.a.type, [&]<class T>(T) {
    const std::vector<T> result = multiply_tile<T>(work, tile);
    return text_of_rows(std::span<const T>(result), tile.columns);
  });
}

}  // namespace jobs

#include "matrices/reader.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <type_traits>
#include <utility>

namespace jobs {

matrix_reader::matrix_reader(matrix_source source) : source_(std::move(source)) {
  if (!source_.is_generated()) file_.emplace(source_.path);
}

template <class T>
void matrix_reader::read(const block& part, std::span<T> into) {
  if (source_.is_generated()) {
    T* at = into.data();
    for (std::uint64_t row = part.row; row < part.row + part.rows; ++row) {
      const std::uint64_t first = row * source_.columns + part.column;
      for (std::uint64_t i = 0; i < part.columns; ++i) *at++ = generated_value<T>(source_.seed, first + i);
    }
  } else if (!source_.fortran_order) {
    read_rows(source_, part, into);
  } else {
    columns_.resize(part.count() * sizeof(T));
    const std::span columns(reinterpret_cast<T*>(columns_.data()), part.count());
    read_rows(source_.transposed(), part.transposed(), columns);
    transpose(columns.data(), part.rows, part.columns, into.data());
  }
}

template <class T>
void matrix_reader::read_rows(const matrix_source& source, const block& part, std::span<T> into) const {
  if (part.columns == source.columns) {
    file_->read_items(into.first(part.count()), source.offset_of(part.row, 0));
    return;
  }
  for (std::uint64_t i = 0; i < part.rows; ++i) {
    file_->read_items(into.subspan(i * part.columns, part.columns), source.offset_of(part.row + i, part.column));
  }
}

template <class T>
T matrix_reader::at(std::uint64_t row, std::uint64_t column) const {
  if (source_.is_generated()) return generated_value<T>(source_.seed, row * source_.columns + column);
  T value;
  file_->read_items(std::span(&value, 1), source_.offset_of(row, column));
  return value;
}

mapped_file::mapped_file(const std::string& path) {
  const file opened(path);
  size_ = opened.size();
  void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, opened.descriptor(), 0);
  if (memory == MAP_FAILED) throw file_error(errno, std::generic_category(), "cannot map " + path);
  data_ = static_cast<const std::byte*>(memory);
}

mapped_file::~mapped_file() { ::munmap(const_cast<std::byte*>(data_), size_); }

template <class T>
void transpose(const T* from, std::uint64_t rows, std::uint64_t columns, T* into) {
  constexpr std::uint64_t edge = 128 / sizeof(T);  // two cache lines
  for (std::uint64_t row = 0; row < rows; row += edge) {
    const std::uint64_t last_row = std::min(rows, row + edge);
    for (std::uint64_t column = 0; column < columns; column += edge) {
      const std::uint64_t last_column = std::min(columns, column + edge);
      for (std::uint64_t r = row; r < last_row; ++r) {
        for (std::uint64_t c = column; c < last_column; ++c) into[r * columns + c] = from[c * rows + r];
      }
    }
  }
}

#define RANKPOOL_JOBS_FOR_TYPE(T)                                   \
  template void matrix_reader::read(const block&, std::span<T>);    \
  template T matrix_reader::at(std::uint64_t, std::uint64_t) const; \
  template void transpose(const T*, std::uint64_t, std::uint64_t, T*);
RANKPOOL_JOBS_FOR_TYPE(std::int32_t)
RANKPOOL_JOBS_FOR_TYPE(std::int64_t)
RANKPOOL_JOBS_FOR_TYPE(float)
RANKPOOL_JOBS_FOR_TYPE(double)
#undef RANKPOOL_JOBS_FOR_TYPE

}  // namespace jobs

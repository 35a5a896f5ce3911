#include "matrices/reader.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <mutex>
#include <type_traits>
#include <utility>

namespace jobs {
namespace {

thread_local sigjmp_buf* unreadable = nullptr;  // where this thread's SIGBUS handler jumps to; null: nowhere
struct sigaction previous_action {};

void on_sigbus(int signal) {
  if (unreadable != nullptr) ::siglongjmp(*unreadable, 1);
  ::sigaction(SIGBUS, &previous_action, nullptr);
  ::raise(signal);
}

void install_handler() {
  struct sigaction action {};
  action.sa_handler = on_sigbus;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous_action);
}

}  // namespace

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

mapped_file::mapped_file(const std::string& path, std::uint64_t bytes) : file_(path), size_(bytes) {
  check();
  void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file_.descriptor(), 0);
  if (memory == MAP_FAILED) throw file_error(errno, std::generic_category(), "cannot map " + path);
  data_ = static_cast<const std::byte*>(memory);
}

mapped_file::~mapped_file() { ::munmap(const_cast<std::byte*>(data_), size_); }

void mapped_file::check() const {
  const std::uint64_t found = file_.size();
  if (found >= size_) return;
  throw file_error(EIO, std::generic_category(),
                   file_.path() + " has become shorter: it has " + std::to_string(found) + " bytes of " + std::to_string(size_));
}

bool can_look(const std::function<void()>& look) {
  static std::once_flag installed;
  std::call_once(installed, install_handler);
  sigjmp_buf here;
  const struct way_out {
    explicit way_out(sigjmp_buf* to) { unreadable = to; }
    ~way_out() { unreadable = nullptr; }
  } way(&here);
  if (sigsetjmp(here, 1) != 0) return false;
  look();
  return true;
}

template <class T>
void transpose(const T* from, std::uint64_t rows, std::uint64_t columns, T* into) {
  // Each square is transposed in a buffer of its own, so that no cache line is loaded twice: if the row length is a power of two,
  // the cache lines of a square compete for the same few sets of the cache.
  constexpr std::uint64_t edge = 64 / sizeof(T);
  T square[edge][edge];
  for (std::uint64_t row = 0; row < rows; row += edge) {
    const std::uint64_t height = std::min(edge, rows - row);
    for (std::uint64_t column = 0; column < columns; column += edge) {
      const std::uint64_t width = std::min(edge, columns - column);
      for (std::uint64_t c = 0; c < width; ++c) {
        const T* const line = from + (column + c) * rows + row;
        for (std::uint64_t r = 0; r < height; ++r) square[r][c] = line[r];
      }
      for (std::uint64_t r = 0; r < height; ++r) std::copy_n(square[r], width, into + (row + r) * columns + column);
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

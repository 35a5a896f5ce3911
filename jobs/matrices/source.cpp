#include "matrices/source.hpp"

#include <rankpool/written_files.hpp>

#include "support/usage_error.hpp"

namespace jobs {

matrix_source stored_matrix(const std::string& path) {
  const npy_header header = read_npy_header(path);
  if (header.shape.size() != 2) {
    throw usage_error(path + " (" + describe(header) + ") is not a matrix: a matrix has two dimensions");
  }
  return {.path = rankpool::canonical_path(path),
          .type = header.type,
          .fortran_order = header.fortran_order,
          .rows = header.shape[0],
          .columns = header.shape[1],
          .data_offset = header.data_offset};
}

matrix_source generated_matrix(element_type type, std::uint64_t rows, std::uint64_t columns, std::uint64_t seed) {
  return {.path = {}, .type = type, .rows = rows, .columns = columns, .seed = seed};
}

std::string describe(const matrix_source& matrix) {
  return matrix.path + " (" + describe(npy_header{.type = matrix.type, .shape = {matrix.rows, matrix.columns}}) + ")";
}

}  // namespace jobs

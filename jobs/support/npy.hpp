// numpy's file format, versions 1.0 to 3.0: a header line in Python syntax with type, order and shape, then the numbers.
//
// Supports little-endian int32, int64, float32 and float64, in C or Fortran order. Format: numpy.lib.format in numpy's manual.
// This file handles only headers; each task reads the numbers that it needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/file_io.hpp"

namespace jobs {

enum class element_type { int32, int64, float32, float64 };

std::size_t size_of(element_type type);       // size in bytes
std::string_view name_of(element_type type);  // numpy's name of the type

/// Calls f with a value-initialized number of the given type.
template <class F>
decltype(auto) with_element(element_type type, F&& f) {
  switch (type) {
    case element_type::int32: return f(std::int32_t{});
    case element_type::int64: return f(std::int64_t{});
    case element_type::float32: return f(float{});
    default: return f(double{});
  }
}

struct npy_header {
  element_type type = element_type::float64;
  bool fortran_order = false;  // the first index varies fastest
  std::vector<std::uint64_t> shape;
  std::uint64_t data_offset = 0;  // bytes before the first number

  std::uint64_t count() const;  // number of elements
  std::uint64_t bytes() const { return count() * size_of(type); }
};

/// Reads the header and checks the size of the file. Throws: usage_error that names the file and the problem: missing, not .npy,
/// unsupported type or byte order, or a size that does not match the shape.
npy_header read_npy_header(const file& from);
npy_header read_npy_header(const std::string& path);

/// Returns the preamble of a .npy file: all bytes before the numbers. Stores its size in `header.data_offset`.
std::string npy_preamble(npy_header& header);

/// Returns a description for messages, for example "int64, 3 x 4".
std::string describe(const npy_header& header);

}  // namespace jobs

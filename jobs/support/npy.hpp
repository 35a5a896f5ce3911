// numpy's own file format, versions 1.0 to 3.0: a line of Python that says type, order and shape, then the numbers.
//
// Little-endian int32, int64, float32 and float64, in C or Fortran order. Format: numpy.lib.format in numpy's manual.
// This reads and writes headers only; the numbers are for whoever knows which of them it needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/file_io.hpp"

namespace jobs {

enum class element_type { int32, int64, float32, float64 };

std::size_t size_of(element_type type);       // bytes
std::string_view name_of(element_type type);  // as numpy calls it

/// Calls f with a value-initialized number of that type.
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
  bool fortran_order = false;  // the first index runs fastest
  std::vector<std::uint64_t> shape;
  std::uint64_t data_offset = 0;  // bytes before the first number

  std::uint64_t count() const;  // of the numbers
  std::uint64_t bytes() const { return count() * size_of(type); }
};

/// The header of a whole file. Throws: usage_error that names the file and what is wrong with it: not there, not .npy, a
/// type or order of bytes that is not supported, shorter or longer than its shape says.
npy_header read_npy_header(const file& from);
npy_header read_npy_header(const std::string& path);

/// The bytes before the numbers, and in `header` how many they are.
std::string npy_preamble(npy_header& header);

/// "int64, 3 x 4" for messages.
std::string describe(const npy_header& header);

}  // namespace jobs

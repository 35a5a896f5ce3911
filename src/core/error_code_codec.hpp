// How a std::error_code travels: the number, and which of the program's categories it belongs to.
//
// A category is an object of which there is one in each process, compared by its address. The standard ones go by
// name. One of the program's own goes by its place in the build, as functions do, and is taken on arrival only if an
// object of its very type stands there. A category that is not to be had here (made at run time, or never made in this
// process) arrives as a stand-in: another category, but with the name and messages of the one it stands for.
#pragma once

#include <rankpool/detail/bytes.hpp>

#include <system_error>

namespace rankpool::detail {

void encode_error_code(byte_writer& out, const std::error_code& code);
/// Throws serialization_error for bytes that encode_error_code did not write.
std::error_code decode_error_code(byte_reader& in);

}  // namespace rankpool::detail

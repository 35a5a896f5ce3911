// The encoding of a std::error_code: its number and its category.
//
// A category is an object that each process has one copy of, and categories are compared by address. A standard category is
// encoded as its name. A category of the program is encoded as its address within the build, as functions are. The receiver uses
// the object at that address only if it has the same type. If there is none, because the category is created at run time or has
// not been created in this process, the receiver uses a stand-in with the same name and messages.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>

#include <system_error>

namespace rankpool::detail {

/// Writes an error code.
void encode_error_code(byte_writer& out, const std::error_code& code);
/// Reads an error code. Throws: serialization_error for bytes that encode_error_code() did not write.
std::error_code decode_error_code(byte_reader& in);

}  // namespace rankpool::detail

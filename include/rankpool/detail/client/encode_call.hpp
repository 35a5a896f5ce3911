// Encodes callables and shared values, and reports values that cannot be encoded.
#pragma once

#include <rankpool/detail/call/callable.hpp>
#include <rankpool/detail/client/future_state.hpp>
#include <rankpool/detail/codec/codec.hpp>
#include <rankpool/detail/codec/exception_codec.hpp>

namespace rankpool::detail {

/// Fails a future whose arguments could not be encoded. Call it in the catch clause.
void fail_unwritable(future_state_base& state);

/// Encodes a shared value. Throws: serialization_error if that fails.
template <class T>
void encode_shared(byte_buffer& bytes, const T& value) {
  byte_writer out(bytes);
  try {
    encode(out, value);
  } catch (...) {
    rethrow_as_serialization_error("the shared value could not be written");
  }
}

/// The encoded callables of a map or reduction, which precede the items of each chunk.
struct encoded_head {
  byte_buffer bytes;
  shared_references references;
};

/// Encodes the callables of a map or reduction. Throws: serialization_error if that fails.
template <class... F>
void encode_callables(encoded_head& head, const F&... f) {
  byte_writer out(head.bytes, nullptr, &head.references);
  try {
    (callable_codec<F>::encode(out, f), ...);
  } catch (...) {
    rethrow_as_serialization_error("the callable could not be written");
  }
}

}  // namespace rankpool::detail

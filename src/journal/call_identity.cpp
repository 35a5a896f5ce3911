#include "journal/call_identity.hpp"

#include <rankpool/detail/wire/bytes.hpp>

namespace rankpool::detail {

code_address locate_identity(const call_description& what) {
  return what.identity == 0 ? code_address{} : locate_code(reinterpret_cast<const void*>(what.identity));
}

digest identity_of(const call_description& what, std::span<const std::byte> head, const keepers& shared) {
  byte_buffer bytes;
  byte_writer out(bytes);
  out.put(what.function);
  out.put(locate_identity(what));
  out.raw(head.data(), head.size());
  return digest_of(bytes, {}, shared);
}

}  // namespace rankpool::detail

#include "journal/call_identity.hpp"

#include <rankpool/detail/wire/bytes.hpp>

namespace rankpool::detail {

code_address locate_identity(const call_description& what) {
  return what.identity == 0 ? code_address{} : locate_code(reinterpret_cast<const void*>(what.identity));
}

digest identity_of(const call_description& what, std::span<const std::byte> head, std::span<const shared_reference> references) {
  byte_buffer bytes;
  shared_references moved;
  byte_writer out(bytes, nullptr, &moved);
  out.put(what.function);
  out.put(locate_identity(what));
  for (const auto& [offset, value] : references) out.refer_to(value, out.size() + offset);
  out.raw(head.data(), head.size());
  return digest_of(bytes, {}, moved);
}

}  // namespace rankpool::detail

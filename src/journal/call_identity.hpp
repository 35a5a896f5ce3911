// The identity of a call in a journal. It is the same in every run of a build.
#pragma once

#include <rankpool/detail/journal/call_description.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstddef>
#include <span>

namespace rankpool::detail {

/// Returns the address that `what.identity` points to; an empty address if it is 0.
code_address locate_identity(const call_description& what);

/// Returns a digest of a call's function and of `head`, its encoded callables with their bound arguments. `references`: of `head`.
digest identity_of(const call_description& what, std::span<const std::byte> head = {},
                   std::span<const shared_reference> references = {});

}  // namespace rankpool::detail

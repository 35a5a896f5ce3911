// What tells the calls of a journal apart, the same in every run of a build.
#pragma once

#include <rankpool/detail/journal/journal_call.hpp>
#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstddef>
#include <span>

namespace rankpool::detail {

/// Where `identity` points to, if it is no 0.
code_address locate_identity(const call_description& what);

/// Tells calls apart: their functions, and `head`, what is bound to them.
digest identity_of(const call_description& what, std::span<const std::byte> head = {}, const keepers& shared = {});

}  // namespace rankpool::detail

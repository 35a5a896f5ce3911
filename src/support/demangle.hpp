// The names of types as they are written in C++.
#pragma once

#include <boost/core/demangle.hpp>

#include <string>
#include <string_view>
#include <typeinfo>

namespace rankpool::detail {

/// Returns the name of a type from its mangled name.
inline std::string demangle(const std::string& mangled) { return boost::core::demangle(mangled.c_str()); }

/// Returns the name of an exception's type. std::throw_with_nested(E) throws a std::_Nested_exception<E>, whose name is that of E.
inline std::string thrown_type_name(const std::type_info& type) {
  std::string name = demangle(type.name());
  constexpr std::string_view wrapper = "std::_Nested_exception<";
  if (!name.starts_with(wrapper) || !name.ends_with('>')) return name;
  name = name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
  while (name.ends_with(' ')) name.pop_back();
  return name;
}

}  // namespace rankpool::detail

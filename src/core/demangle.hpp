// The name of a type as one would write it.
#pragma once

#include <boost/core/demangle.hpp>

#include <string>

namespace rankpool::detail {

inline std::string demangle(const std::string& mangled) { return boost::core::demangle(mangled.c_str()); }

}  // namespace rankpool::detail

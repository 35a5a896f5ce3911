// Looks up the names of functions and shortens them.
#include "support/function_name.hpp"

#include "support/demangle.hpp"

#include <boost/stacktrace/frame.hpp>

#include <string_view>
#include <utility>

namespace rankpool::detail {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
}

/// Removes the parameter list at the end of a function's name. The type of a function pointer, as in "int (*)(int)", stays.
void drop_parameters(std::string& name) {
  if (!name.ends_with(')') || name.find("(*)") != std::string::npos) return;
  int depth = 0;
  for (std::size_t at = name.size(); at-- > 0;) {
    depth += name[at] == ')' ? 1 : name[at] == '(' ? -1 : 0;
    if (depth > 0) continue;
    if (at > 0) name.resize(at);
    return;
  }
}

}  // namespace

std::string symbol_name(std::uintptr_t address) {
  return address == 0 ? std::string() : boost::stacktrace::frame(reinterpret_cast<const void*>(address)).name();
}

std::string function_name(std::uintptr_t address, const std::type_info& callable) {
  const std::string name = symbol_name(address);
  return name.empty() ? demangle(callable.name()) : name;
}

std::string short_name(std::string name) {
  constexpr std::size_t max_length = 60;
  drop_parameters(name);
  replace_all(name, "(anonymous namespace)::", "");
  replace_all(name, "[abi:cxx11]", "");  // an ABI tag in the names of functions that return a std::string
  replace_all(name, "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string");
  if (name.size() > max_length) name = name.substr(0, max_length - 3) + "...";
  return name;
}

}  // namespace rankpool::detail

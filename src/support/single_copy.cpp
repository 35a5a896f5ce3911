// Compares the address and version of this copy of the library with those of the program's copy.
#include "support/single_copy.hpp"

#include "support/log.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace {
const char version_of_this_copy[] = RANKPOOL_VERSION;  // each copy of the library has it at a different address
}

// The program exports this symbol, by a link option of the CMake target. A lookup from any library finds the program's symbol, so
// every copy can find out whether it is the program's copy.
extern "C" {
[[gnu::visibility("default")]] extern const char* const rankpool_copy;
}
const char* const rankpool_copy = version_of_this_copy;

namespace rankpool::detail {

// A caller in a plugin gets the program's copy of this function if the program exports all its symbols, otherwise its own copy.
bool check_single_copy(const char* version, const void* module) {
  const auto* const program = static_cast<const char* const*>(dlsym(RTLD_DEFAULT, "rankpool_copy"));
  const bool is_second = program != nullptr && *program != version_of_this_copy;
  if (!is_second && std::strcmp(version, version_of_this_copy) == 0) return true;
  Dl_info where{};
  const char* const name = dladdr(module, &where) != 0 ? where.dli_fname : "a library";
  if (is_second) {
    log_line(std::string("'") + name +
             "' contains a second copy of rankpool: set the CMake property ENABLE_EXPORTS of the program that loads it, or do not "
             "link rankpool into the library");
  } else {
    log_line(std::string("'") + name + "' was built with rankpool " + version + ", but the program has rankpool " +
             version_of_this_copy + ": build both with the same version");
  }
  std::_Exit(2);
}

}  // namespace rankpool::detail

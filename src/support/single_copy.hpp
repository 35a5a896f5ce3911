// Checks that a process has one copy of this library.
//
// A second copy would have its own exception registry, table of shared values and current worker, which the pool never sees. A
// plugin that links the library statically brings such a copy, unless the program exports its symbols, to which the plugin's
// references then bind. Source files with such state include this header. When one is
// loaded, it checks that it belongs to the only copy.
#pragma once

namespace rankpool::detail {

/// Logs an error and ends the process with status 2 if this copy is not the program's, or if the versions differ. Does nothing if
/// the program has no copy. `version`: the version that the caller was built with. `module`: an address in the caller's module.
bool check_single_copy(const char* version, const void* module);

[[maybe_unused]] static const bool is_single_copy = check_single_copy(RANKPOOL_VERSION, &is_single_copy);

}  // namespace rankpool::detail

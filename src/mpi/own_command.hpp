// The command that starts this program again.
#pragma once

#include <string>
#include <vector>

namespace rankpool::detail {

/// Returns the command that starts this program, without the program's arguments. Its last word is the path of the program's
/// file. If the user started the program through the dynamic loader (`ld.so --library-path DIR ./program`), the loader and its
/// options come first. Without /proc the command is `name`.
std::vector<std::string> own_command(const std::string& name);

}  // namespace rankpool::detail

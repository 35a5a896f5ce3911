#include "files/temporary_suffix.hpp"

#include <ios>
#include <random>
#include <sstream>

namespace rankpool::detail {

std::string temporary_suffix(journal kept) {
  std::random_device random;
  std::ostringstream text;
  text << std::hex << random() << random();
  return ".part-" + kept.recall("suffix of unfinished files", text.str());
}

}  // namespace rankpool::detail

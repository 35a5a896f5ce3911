// What every task of a sort is told, once per rank.
#pragma once

#include <boost/serialization/vector.hpp>
#include <cstddef>
#include <vector>

#include "sort/number_file.hpp"
#include "sort/splitters.hpp"

namespace jobs {

struct sort_work {
  number_file input;
  number_target output;             // of the same type and count; there with its full size
  number_target carried;            // where the first of two passes brings buckets: mostly the output itself
  std::vector<splitter> splitters;  // one less than there are buckets

  std::size_t buckets() const { return splitters.size() + 1; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& input& output& carried& splitters;
  }
};

}  // namespace jobs

// The arguments that all tasks of a sort share; they are sent once per rank.
#pragma once

#include <boost/serialization/vector.hpp>
#include <cstddef>
#include <vector>

#include "sort/number_file.hpp"
#include "sort/splitters.hpp"

namespace jobs {

struct sort_work {
  number_file input;
  number_target output;             // has the input's type and count; created with its full size
  number_target carried;            // where the first of two passes writes buckets: the output itself, unless there is a journal
  std::vector<splitter> splitters;  // one fewer than buckets

  std::size_t buckets() const { return splitters.size() + 1; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& input& output& carried& splitters;
  }
};

}  // namespace jobs

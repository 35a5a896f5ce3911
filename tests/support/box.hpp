// The smallest class that smart pointers can carry: Boost.Serialization sends no pointers to plain numbers.
#pragma once

namespace support {

struct box {
  int value = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & value;
  }
};

}  // namespace support

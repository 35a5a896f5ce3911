// A minimal class for tests of smart pointers. Boost.Serialization does not serialize pointers to fundamental types.
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

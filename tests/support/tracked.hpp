// A value that counts its instances, for tests of what is kept and what is freed.
#pragma once

#include <boost/serialization/access.hpp>

#include <atomic>

namespace support {

class tracked {
 public:
  explicit tracked(int value = 0) : value_(value) { ++alive_; }
  tracked(const tracked& other) : value_(other.value_) { ++alive_; }
  tracked& operator=(const tracked&) = default;
  ~tracked() { --alive_; }

  int value() const { return value_; }

  /// Returns the number of instances in this process.
  static int alive() { return alive_; }

 private:
  friend class boost::serialization::access;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & value_;
  }

  int value_;
  static inline std::atomic<int> alive_ = 0;
};

}  // namespace support

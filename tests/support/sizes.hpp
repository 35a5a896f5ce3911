// The sizes of large tests. A build with a sanitizer is slower, so its tests are smaller.
#pragma once

namespace support {

/// The factor by which this build is slower than a release build. Time limits scale with it: see ranks.cmake.
constexpr int slowdown = RANKPOOL_TEST_SLOWDOWN;

/// Returns the number of items for a test that uses `count` items in a release build.
constexpr int scaled_down(int count) { return count / slowdown; }

}  // namespace support

// Arbitrary bytes as a call, a chunk of a map or a reduction for a worker, and as the result of a chunk. All of it must decode, or
// fail with serialization_error: item by item where the items have lengths.
#include "fuzz/input.hpp"

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/map_results.hpp>

#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

using namespace rankpool::detail;

namespace {

// Function objects, because a function pointer in arbitrary bytes would be called at any address.
struct join {
  std::string operator()(const std::vector<std::string>& words, int n) const {
    std::string all;
    for (const auto& w : words) all += w;
    return all + std::to_string(n);
  }
};
struct sum {
  long operator()(long a, long b) const { return static_cast<long>(static_cast<unsigned long>(a) + static_cast<unsigned long>(b)); }
};
struct size_of {
  long operator()(const std::vector<int>& v) const { return static_cast<long>(v.size()); }
};

void run(task_function function, const byte_buffer& bytes) {
  byte_buffer result;
  try {
    byte_reader in(bytes);
    byte_writer out(result);
    function(in, out);
  } catch (const rankpool::serialization_error&) {
  }
}

// The count of items in the bytes may be huge. It is limited here, so that a billion failing items do not count as a hang.
byte_buffer with_count(std::uint64_t count, const byte_buffer& items) {
  byte_buffer bytes;
  byte_writer out(bytes);
  out.put<std::uint64_t>(count % 16);
  out.raw(items.data(), items.size());
  return bytes;
}

template <class R>
void read_results(fuzz::input& in) {
  finished_chunk chunk;
  chunk.count = in.below(16);
  chunk.result.what = static_cast<outcome::kind>(in.below(3));
  static const worker_place place{1, "here"};
  chunk.result.where = &place;
  chunk.result.error = std::make_exception_ptr(rankpool::cancelled_error());
  chunk.result.bytes = in.rest();
  chunk_reader reader(std::move(chunk));
  while (reader.left() > 0) {
    try {
      if (reader.advance() == nullptr) (void)decode_next_result<R>(reader.results());
    } catch (const rankpool::serialization_error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const std::size_t which = in.number<std::uint8_t>() % 7;
  const auto count = in.number<std::uint8_t>();
  switch (which) {
    case 0: run(&run_call<join, argument_pack<std::vector<std::string>, int>>, in.rest()); break;
    case 1:
      run(&run_map_chunk<join, argument_pack<std::vector<std::string>, int>,
                         packed_items<argument_pack<std::vector<std::string>, int>>>,
          with_count(count, in.rest()));
      break;
    case 2:
      run(&run_map_chunk<size_of, argument_pack<std::vector<int>>, packed_items<argument_pack<std::vector<int>>>>,
          with_count(count, in.rest()));
      break;
    case 3:
      run(&run_map_chunk<sum, argument_pack<long, long>, packed_items<argument_pack<long, long>>>, with_count(count, in.rest()));
      break;
    case 4:
      run(&run_reduce_chunk<long, sum, size_of, argument_pack<std::vector<int>>, packed_items<argument_pack<std::vector<int>>>>,
          with_count(count, in.rest()));
      break;
    case 5: read_results<std::string>(in); break;
    default: read_results<std::vector<int>>(in); break;
  }
  return 0;
}

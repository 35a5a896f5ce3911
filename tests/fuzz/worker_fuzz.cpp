// A rank 0 that sends arbitrary records at any time: the worker runs the valid ones and refuses the others with message_error.
// All function addresses are real, because the worker would call any other address.
#include "fuzz/input.hpp"
#include "support/scripted_transport.hpp"
#include "worker/worker.hpp"

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/detail/wire/code_address.hpp>

#include <stdexcept>
#include <string>
#include <tuple>

using namespace rankpool::detail;

namespace {

struct grow {
  std::string operator()(const std::string& s, int n) const {
    if (n == 7) throw std::invalid_argument("seven");
    return s + "!";
  }
};

void begin(byte_reader& in, byte_writer&) {
  if (in.remaining() > 3) throw std::runtime_error("the initializer has failed");
}

void made_up_record(frame_writer& out, fuzz::input& in) {
  static const code_address call = locate_function(&run_call<grow, argument_pack<std::string, int>>);
  static const code_address map =
      locate_function(&run_map_chunk<grow, argument_pack<std::string, int>, packed_items<argument_pack<std::string, int>>>);
  static const code_address initializer = locate_function(&begin);
  const auto executor = static_cast<std::uint32_t>(in.below(4));
  switch (in.below(13)) {
    case 0: out.open(executor, code_address{}, {}); break;
    case 1: out.open(executor, initializer, in.bytes(8)); break;
    case 2: out.close(executor); break;
    case 3: out.recall(); break;
    case 10:
      out.share(in.below(4), in.below(16), in.below(2) == 0 ? 0 : static_cast<std::int32_t>(in.below(3)), -1, in.bytes(16));
      break;
    case 11: out.unshare(in.below(4)); break;
    case 12: out.broadcast(in.below(4), 1 + in.below(1 << 16)); break;
    case 4: out.stop(static_cast<std::int32_t>(in.below(256))); break;
    case 5: out.task(in.number<std::uint16_t>(), executor, code_address{1, 2}, in.bytes(8), nullptr); break;
    case 6: {
      byte_buffer items;
      byte_writer(items).put<std::uint64_t>(in.below(5));
      const byte_buffer rest = in.bytes(200);
      items.append(rest.data(), rest.size());
      out.task(in.number<std::uint16_t>(), executor, map, items, nullptr);
      break;
    }
    case 7: out.task(1, executor, call, {}, std::make_shared<held<byte_buffer>>(in.bytes(200))); break;
    default: {
      byte_buffer arguments;
      byte_writer writer(arguments);
      if (in.below(2) == 0) {
        encode(writer, std::string("text"));
        encode(writer, static_cast<int>(in.below(9)));
      } else {
        arguments = in.bytes(60);
      }
      out.task(in.number<std::uint16_t>(), executor, call, arguments, nullptr);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  support::scripted_transport link;
  try {
    worker w(link, {1, "here"});
    while (!in.empty()) {
      frame_writer out;
      const std::size_t records = 1 + in.below(4);
      for (std::size_t i = 0; i < records; ++i) made_up_record(out, in);
      link.arrive(0, out.take());
      for (int steps = 0; steps < 3 && w.step(); ++steps) {
      }
    }
    while (w.step()) {
    }
  } catch (const message_error&) {
  } catch (const rankpool::serialization_error&) {  // a function that this build does not have
  }
  return 0;
}

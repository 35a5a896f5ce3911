// Arbitrary bytes as an exception: they fail with serialization_error, or decode to an exception that can be caught and read.
#include "fuzz/input.hpp"

#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/register_exception.hpp>

#include <stdexcept>
#include <string>
#include <system_error>

namespace {

struct own_problem : std::runtime_error {
  explicit own_problem(const std::string& what = "") : std::runtime_error(what) {}
  int number = 0;
  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar& number;
  }
};

std::size_t ask(const std::exception& e, int depth) {
  std::size_t length = std::string(e.what()).size();
  if (const auto* where = rankpool::remote_context(e)) length += where->type_name.size() + where->trace.size();
  if (const auto* system = dynamic_cast<const std::system_error*>(&e)) {
    length += system->code().message().size() + std::string(system->code().category().name()).size();
  }
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception& nested) {
    fuzz::require(depth < 100);
    length += ask(nested, depth + 1);
  } catch (...) {
  }
  return length;
}

}  // namespace

RANKPOOL_REGISTER_EXCEPTION(own_problem)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rankpool::detail;
  byte_reader in(reinterpret_cast<const std::byte*>(data), size);
  try {
    std::rethrow_exception(decode_exception(in, {.rank = 1, .host = "here"}, 1));
  } catch (const rankpool::serialization_error&) {
  } catch (const std::exception& e) {
    [[maybe_unused]] volatile std::size_t asked = ask(e, 0);
  } catch (...) {
  }
  return 0;
}

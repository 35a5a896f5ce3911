// A library that a program loads at run time and that submits tasks to the pool. The tasks check that they run on a worker, throw
// an exception type of the library, and read a shared value.
#include <rankpool/rankpool.hpp>

#include <stdexcept>
#include <string>

namespace {

struct plugin_error : std::runtime_error {
  int code = 0;
  plugin_error() : std::runtime_error("") {}
  explicit plugin_error(int c) : std::runtime_error("code " + std::to_string(c)), code(c) {}
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& code;
  }
};

bool is_in_task() { return rankpool::this_worker::rank() >= 0; }
int fail(int code) { throw plugin_error(code); }
int element(const rankpool::shared<std::string>& text, int i) { return (*text)[static_cast<std::size_t>(i)]; }

}  // namespace

RANKPOOL_REGISTER_EXCEPTION(plugin_error)

extern "C" const char* use_pool(rankpool::executor& pool) {
  static std::string said;
  said = pool.submit(is_in_task).result() ? "in a task" : "not in a task";
  try {
    (void)pool.submit(fail, 7).result();
  } catch (const plugin_error& e) {
    said += ", code " + std::to_string(e.code);
  }
  said += ", " + std::to_string(pool.submit(element, pool.share(std::string("abc")), 1).result());
  return said.c_str();
}

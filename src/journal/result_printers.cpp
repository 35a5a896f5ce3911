// The registered printers of results, and those that the library registers itself.
#include <rankpool/detail/journal/json_text.hpp>
#include <rankpool/detail/journal/result_printer.hpp>

#include <gmpxx.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

namespace rankpool::detail {
namespace {

struct registered_printer {
  std::type_index type;
  result_printer print;
};

template <class... R>
std::vector<registered_printer> printers_of() {
  return {{typeid(R), &print_result<R>}..., {typeid(std::vector<R>), &print_result<std::vector<R>>}...};
}

struct printer_registry {
  std::mutex mutex;
  std::vector<registered_printer> all =
      printers_of<bool, char, signed char, unsigned char, short, unsigned short, int, unsigned, long, unsigned long, long long,
                  unsigned long long, __int128, unsigned __int128, float, double, long double, std::string, mpz_class>();

  printer_registry() { all.push_back({typeid(void), &print_result<void>}); }
};

printer_registry& printer_table() {
  static auto& printers = *new printer_registry;  // never destroyed: executors of static storage may end later
  return printers;
}

}  // namespace

result_printer find_result_printer(const std::type_info& result) {
  printer_registry& printers = printer_table();
  const std::lock_guard lock(printers.mutex);
  const auto found = std::find_if(printers.all.rbegin(), printers.all.rend(),
                                  [&](const registered_printer& one) { return one.type == std::type_index(result); });
  return found == printers.all.rend() ? nullptr : found->print;
}

void register_result_printer(const std::type_info& result, result_printer print) {
  printer_registry& printers = printer_table();
  const std::lock_guard lock(printers.mutex);
  printers.all.push_back({result, print});
}

void unregister_result_printer(const std::type_info& result, result_printer print) noexcept {
  printer_registry& printers = printer_table();
  const std::lock_guard lock(printers.mutex);
  const auto found = std::find_if(printers.all.rbegin(), printers.all.rend(), [&](const registered_printer& one) {
    return one.type == std::type_index(result) && one.print == print;
  });
  if (found != printers.all.rend()) printers.all.erase(std::next(found).base());
}

}  // namespace rankpool::detail

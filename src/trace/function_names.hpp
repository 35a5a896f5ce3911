// The names of the functions in a trace. Rank 0 must not wait for a name, because the first look-up of each reads the symbols of
// the program, some 0.2 s. Events therefore contain a reference, and the thread that writes the file looks the name up.
#pragma once

#include <rankpool/detail/wire/code_address.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace rankpool::detail {

class job;

/// Thread safety: any thread.
class function_names {
 public:
  /// Returns the number of the job's function.
  std::size_t number_of(const job& work);
  /// Returns the text that stands for the name of a function in an event.
  static std::string reference(std::size_t number);
  /// Returns the same as a JSON string.
  static std::string reference_in_json(std::size_t number);
  /// Replaces the references in events, as JSON, by names. Blocks: while names are looked up.
  void resolve(std::string& events);

 private:
  using function = std::pair<code_address, std::uintptr_t>;

  std::string name(std::size_t number);

  std::mutex mutex_;  // guards the functions
  std::map<function, std::size_t> numbers_;
  std::vector<function> functions_;
  std::map<std::size_t, std::string> names_;  // as JSON; used by resolve() alone
};

}  // namespace rankpool::detail

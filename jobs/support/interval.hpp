// A closed interval of whole numbers, as the options --from and --to give it.
#pragma once

#include <concepts>
#include <ranges>
#include <string>

#include "support/command.hpp"
#include "support/numbers.hpp"

namespace jobs {

template <std::integral Integer>
struct interval {
  Integer from;
  Integer to;

  /// The numbers in it, which travel to workers as bounds. `to` must be below the largest Integer.
  auto numbers() const { return std::views::iota(from, static_cast<Integer>(to + 1)); }

  /// Throws: usage_error if the ends are reversed.
  void check() const {
    if (to < from) throw usage_error("--to takes a number that is not less than --from, " + std::to_string(from));
  }
};

/// Adds --from and --to in [least, most]; their defaults are what `chosen` holds.
template <std::integral Integer>
void add_interval(CLI::App& job, interval<Integer>& chosen, Integer least, Integer most) {
  const auto add = [&](const std::string& name, Integer& value, const std::string& what) {
    add_number(job, name, value, what + " number (default " + std::to_string(value) + ")", least, most);
  };
  add("--from", chosen.from, "first");
  add("--to", chosen.to, "last");
}

}  // namespace jobs

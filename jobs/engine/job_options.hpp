// Declares the options of a job. Only job_options.cpp depends on the command-line parser.
//
// An option is bound to a variable that holds the default until the command line is parsed. The variable also provides the
// parameter that --json prints, and the option's part of the journal's identity.
#pragma once

#include <gmpxx.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/run_settings.hpp"
#include "support/interval.hpp"

namespace CLI {
class App;
}

namespace jobs {

/// Returns the identity of a list for a journal: "[a,b,c]"; empty for an empty list.
std::string identity_of_list(const std::vector<std::string>& texts);

class job_options {
 private:
  struct declared;

 public:
  /// A copyable reference to a declared option. Lifetime: valid as long as the job_options.
  class option {
   public:
    /// Makes it an error to give this option without `other`.
    option needs(option other) const;
    /// Makes it an error to give this option together with `other`.
    option excludes(option other) const;
    /// Excludes the option from the journal's identity, because results do not depend on its value.
    option without_effect() const;
    /// Sets the text of the value in the journal's identity. An empty text omits the option.
    option identified_by(std::function<std::string()> text) const;
    /// Makes it an error to omit the option.
    option required() const;
    /// Returns whether the option is on the command line. Valid after parsing.
    bool is_given() const;

   private:
    friend job_options;
    explicit option(declared* which) : declared_(which) {}
    declared* declared_;
  };

  /// As a text of identified_by() and identity(): the identity has the name without a value.
  static constexpr const char* only_name = " ";

  /// `settings` receives the values of the options that jobs have in common.
  job_options(CLI::App& parser, run_settings& settings);
  ~job_options();
  job_options(const job_options&) = delete;
  job_options& operator=(const job_options&) = delete;

  // A name is `--name` for an option and `name` for a positional argument. A text option rejects an empty value.

  /// Declares an integer in [least, most]: 1000000, 10_000, 1e12, 2^40. A default outside this range means "none".
  template <std::integral Integer>
  option number(const std::string& name, Integer& value, const std::string& help,
                std::type_identity_t<Integer> least = std::numeric_limits<Integer>::min(),
                std::type_identity_t<Integer> most = std::numeric_limits<Integer>::max()) {
    return integers(
        name, help, {to_mpz(least), to_mpz(most), false},
        [&value](const std::vector<mpz_class>& given) { value = from_mpz<Integer>(given.back()); },
        [&value] { return std::vector<mpz_class>{to_mpz(value)}; });
  }

  /// Declares an integer without a default.
  template <std::integral Integer>
  option number(const std::string& name, std::optional<Integer>& value, const std::string& help,
                std::type_identity_t<Integer> least = std::numeric_limits<Integer>::min(),
                std::type_identity_t<Integer> most = std::numeric_limits<Integer>::max()) {
    return integers(
        name, help, {to_mpz(least), to_mpz(most), false},
        [&value](const std::vector<mpz_class>& given) { value = from_mpz<Integer>(given.back()); },
        [&value] { return value ? std::vector<mpz_class>{to_mpz(*value)} : std::vector<mpz_class>(); });
  }

  /// Declares a list of integers.
  template <std::integral Integer>
  option numbers(const std::string& name, std::vector<Integer>& values, const std::string& help,
                 std::type_identity_t<Integer> least = std::numeric_limits<Integer>::min(),
                 std::type_identity_t<Integer> most = std::numeric_limits<Integer>::max()) {
    return integers(
        name, help, {to_mpz(least), to_mpz(most), true},
        [&values](const std::vector<mpz_class>& given) {
          values.clear();
          for (const mpz_class& value : given) values.push_back(from_mpz<Integer>(value));
        },
        [&values] {
          std::vector<mpz_class> all;
          for (const Integer value : values) all.push_back(to_mpz(value));
          return all;
        });
  }

  option text(const std::string& name, std::string& value, const std::string& help, const std::string& type_name = "TEXT");
  option texts(const std::string& name, std::vector<std::string>& values, const std::string& help,
               const std::string& type_name = "TEXT");
  option choice(const std::string& name, std::string& value, const std::vector<std::string>& choices, const std::string& help,
                const std::string& type_name);
  option flag(const std::string& name, bool& value, const std::string& help);
  /// Declares a time, in seconds: 90, 1.5s, 250ms, 5min, 1h, 2d.
  option duration(const std::string& name, std::optional<double>& seconds, const std::string& help);
  /// Declares a number of bytes in [least, most]: 65536, 512K, 1.5G, 4GB.
  option size(const std::string& name, std::uint64_t& bytes, const std::string& help, std::uint64_t least, std::uint64_t most);
  /// Declares an input file. A journal identifies it by its canonical path.
  option input_file(const std::string& name, std::string& path, const std::string& help, const std::string& type_name = "FILE");

  /// Declares --from and --to in [least, most], with the values of `range` as defaults. Checks that --to is not less than --from.
  template <std::integral Integer>
  void interval(jobs::interval<Integer>& range, std::type_identity_t<Integer> least, std::type_identity_t<Integer> most) {
    number("--from", range.from, "first number (default " + std::to_string(range.from) + ")", least, most);
    number("--to", range.to, "last number (default " + std::to_string(range.to) + ")", least, most);
    check([&range] { range.check(); });
  }

  // Options that several jobs have in common; their values are in run_settings.

  /// Returns the values of these options. Valid after parsing.
  const run_settings& settings() const;

  void output(const std::string& help = "write the results to this file instead of stdout", const std::string& type_name = "FILE",
              const std::string& force_help = "replace the output file if it exists");
  option chunksize(const std::string& help);
  option verify(const std::string& help);
  /// Declares --verify for a job whose tasks verify their own results. The option is then part of the journal's identity.
  option verify_in_tasks(const std::string& help);

  /// Declares --max-failures for a job that reports failed tasks and continues with the others. In other jobs, every task is needed
  /// for the result: the engine declares the option, and a failed task ends the run.
  option max_failures(const std::string& help =
                          "start no more tasks after this many have failed (default 1); until then, failed tasks are reported, "
                          "and the results of the others are printed");

  /// Calls `act` after the command line was parsed, on every rank.
  void after_parsing(std::function<void()> act);
  /// Calls `act` before subcommand::check(). The same rules apply to `act`.
  void check(std::function<void()> act);
  /// Adds a value that is not an option to the journal's identity. `text` is called after parsing.
  void identity(const std::string& name, std::function<std::string()> text);
  /// Calls without_effect() on all options declared so far.
  void all_without_effect();
  /// Appends text to the help.
  void footer(const std::string& text);

  // Functions for the engine.

  /// Declares the options that every job has, after its own.
  void common();
  /// Returns whether `word` is an option whose value is the next word of the command line.
  bool takes_next_word(const std::string& word) const;
  /// Returns a JSON object with the values of all options, including defaults. An option without value and default is null.
  std::string parameters() const;
  /// Returns the identity of the run for a journal: `job`, then name and value of each option that results depend on. A number has
  /// one form, however the command line writes it: 1e9 and 1000000000 are the same.
  std::string subject(const std::string& job) const;
  /// Runs the checks that were added with check().
  void run_checks() const;

 private:
  struct number_format {
    mpz_class least, most;
    bool is_list;
  };
  using set_numbers = std::function<void(const std::vector<mpz_class>&)>;
  using get_numbers = std::function<std::vector<mpz_class>()>;

  option integers(const std::string& name, const std::string& help, const number_format& format, set_numbers set, get_numbers get);

  template <std::integral Integer>
  static mpz_class to_mpz(Integer value) {
    if constexpr (std::signed_integral<Integer>) {
      return mpz_class(static_cast<long>(value));
    } else {
      return mpz_class(static_cast<unsigned long>(value));
    }
  }
  template <std::integral Integer>
  static Integer from_mpz(const mpz_class& value) {
    return std::signed_integral<Integer> ? static_cast<Integer>(value.get_si()) : static_cast<Integer>(value.get_ui());
  }

  struct implementation;
  std::unique_ptr<implementation> all_;
};

}  // namespace jobs

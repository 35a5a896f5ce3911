#include "factorial/printer.hpp"

#include <cstddef>
#include <string>

namespace jobs {

factorial_printer::factorial_printer(job_run& run)
    : run_(run),
      options_{.workers = run.workers(),
               .verify = run.verifies(),
               .on_report =
                   [this](const factorial_report& report) {
                     run_.out().print(line_for(report), '\n');
                     run_.out().flush();
                     reports_.push_back(report);
                   },
               .on_progress = [this](std::size_t done, std::size_t all) { run_.shown().set(done, all); },
               .on_failure = [this](std::uint64_t n) { return run_.take_failure(std::to_string(n) + "!"); }} {}

void factorial_printer::print(const std::vector<std::uint64_t>& numbers) {
  const checked_results results = report_factorials(run_.pool(), numbers, options_);
  results_.verified += results.verified;
  results_.failed += results.failed;
  results_.unchecked += results.unchecked;
}

digit_vector factorial_printer::digits(std::uint64_t n) {
  digit_vector digits = factorial_digits(run_.pool(), n, options_);
  if (options_.verify) ++results_.verified;
  return digits;
}

void factorial_printer::finish() {
  run_.report().add_json("factorials", json_for(reports_));
  if (!options_.verify) return;
  run_.verified(true, "every value has the expected residues modulo several primes and the powers of primes by Legendre's formula",
                results_);
}

}  // namespace jobs

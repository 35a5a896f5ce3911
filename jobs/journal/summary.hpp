// Prints a summary of a journal. The first lines are for scripts: one for the journal, then one per call with its progress.
#pragma once

#include <cstdint>
#include <rankpool/rankpool.hpp>
#include <string>

#include "engine/output.hpp"

namespace jobs {

struct summary_options {
  std::string file;            // name of the file, as the user gave it
  std::uint64_t failures = 0;  // number of failures to show
  std::uint64_t slowest = 0;
};

void print_summary(output& out, const rankpool::journal_reader& journal, const summary_options& options);

/// Prints the summary as one JSON object.
void print_summary_json(output& out, const rankpool::journal_reader& journal, const summary_options& options);

/// Returns the progress of a call: "count_primes: 512 of 1500 items, 34 %, 2 failed".
std::string progress_of(const rankpool::journal_reader::call& call);

}  // namespace jobs

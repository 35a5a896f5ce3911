// What a journal holds, at a glance. Its first lines are for scripts: the journal's, then one for each call with how far it is.
#pragma once

#include <cstdint>
#include <rankpool/rankpool.hpp>
#include <string>

#include "engine/output.hpp"

namespace jobs {

struct summary_options {
  std::string file;            // as it was given
  std::uint64_t failures = 0;  // how many to show
  std::uint64_t slowest = 0;
};

void print_summary(output& out, const rankpool::journal_reader& journal, const summary_options& options);

/// The same as one JSON object.
void print_summary_json(output& out, const rankpool::journal_reader& journal, const summary_options& options);

/// "count_primes: 512 of 1500 items, 34 %, 2 failed".
std::string progress_of(const rankpool::journal_reader::call& call);

}  // namespace jobs

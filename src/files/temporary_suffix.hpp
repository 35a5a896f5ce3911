// What the temporary name of a file ends in that several runs with a journal write.
#pragma once

#include <rankpool/journal.hpp>

#include <string>

namespace rankpool::detail {

/// Returns ".part-" and a random number, the same in all runs with the journal. Throws: journal_error.
std::string temporary_suffix(journal kept);

}  // namespace rankpool::detail

// The results of a journal for other programs, written as they are read: the memory of one chunk is enough for any journal.
#pragma once

#include <rankpool/rankpool.hpp>

#include "engine/output.hpp"

namespace jobs {

/// {"subject", "build", "calls": [{"name", "items", "results": [...], "failures": [...]}]}, a result or failure to a line. A result
/// has its "item", or "items": [first, number] where they were reduced to one value; "value" where it is known, and null with
/// "bytes" where its type has no text; and "seconds", "rank", "host", "finished" of its chunk. Throws: output_error, journal_error.
void export_json(output& out, const rankpool::journal_reader& journal);

/// A line for each item or reduced chunk, and then for each failure: call,item,value,seconds,rank,host,finished,error. Text is
/// itself, all other values are as in JSON. Throws: as above.
void export_csv(output& out, const rankpool::journal_reader& journal);

}  // namespace jobs

// Exports the results of a journal for other programs. Results are written as they are read, so only one chunk is in memory.
#pragma once

#include <rankpool/rankpool.hpp>

#include "engine/output.hpp"

namespace jobs {

/// Writes {"subject", "build", "calls": [{"name", "items", "results": [...], "failures": [...]}]}, one result or failure per line.
/// A result has its "item", or "items": [first, number] if the items were reduced to one value; "value", or null and "bytes" if
/// its type has no text form; and "seconds", "rank", "host", "finished" of its chunk. Throws: output_error, journal_error.
void export_json(output& out, const rankpool::journal_reader& journal);

/// Writes one line per item or reduced chunk, then one per failure: call,item,value,seconds,rank,host,finished,error. Text values
/// are plain text; all other values are JSON. Throws: as export_json().
void export_csv(output& out, const rankpool::journal_reader& journal);

}  // namespace jobs

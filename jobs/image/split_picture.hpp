// Processes one large picture with all workers: each task filters and encodes one strip.
//
// Workers read their own rows of a raw PNM and write their own strips of a PNG (except with a journal, see below). A PNG or a JPEG
// can only be decoded sequentially: rank 0 decodes it, sends strips to workers and joins the encoded strips. Only strips in flight
// are in memory.
#pragma once

#include <functional>

#include <rankpool/rankpool.hpp>

#include "image/picture_task.hpp"

namespace jobs {

/// Processes the picture and returns its number of pixels. Calls `strips_done(done, all)` during the work. With a journal, rank 0
/// writes the result in every format, so that a later run can restore all strips; a result that an earlier run finished is not
/// changed. `overwrite`: also replace a file that no run with the journal wrote. Throws: picture_failure (the file is removed; the
/// pool stays usable); output_error if stdout cannot be written; errors of the pool, such as stopped_error.
std::uint64_t split_picture(rankpool::executor& pool, const rankpool::journal& journal, bool overwrite,
                            const picture_settings& settings, const picture_files& files,
                            const std::function<void(std::uint64_t, std::uint64_t)>& strips_done);

}  // namespace jobs

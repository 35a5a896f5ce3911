// One large picture by all workers: a task filters and encodes a strip.
//
// A raw PNM is read by the workers, each its own rows, and a PNM is written by them (but see below). The bytes of a PNG or a JPEG
// can only be decoded one after another: rank 0 does it while workers are busy with strips that it has sent, and joins the encoded
// ones, with no more of them in memory than are in flight.
#pragma once

#include <functional>

#include <rankpool/rankpool.hpp>

#include "image/picture_task.hpp"

namespace jobs {

/// Returns the number of pixels. `strips_done(done, all)` is called as it goes on. With a journal, rank 0 writes the result,
/// whatever its format, so that a later run has all strips; a result that an earlier run has finished is left as it is.
/// `overwrite`: replace also a file that no run with the journal wrote. Throws: picture_failure, after which no file is left and
/// the pool goes on; output_error if stdout cannot be written; an error of the pool, such as stopped_error.
std::uint64_t split_picture(rankpool::executor& pool, const rankpool::journal& journal, bool overwrite,
                            const picture_settings& settings, const picture_files& files,
                            const std::function<void(std::uint64_t, std::uint64_t)>& strips_done);

}  // namespace jobs

// One large picture by all workers: a task filters and encodes a strip.
//
// A raw PNM is read by the workers, each its own rows, and a PNM is written by them. The bytes of a PNG or a JPEG can only be
// decoded one after another: rank 0 does it while workers are busy with strips that it has sent, and joins the encoded ones, with
// no more of them in memory than are in flight.
#pragma once

#include <functional>

#include <rankpool/rankpool.hpp>

#include "image/picture_task.hpp"

namespace jobs {

/// `strips_done(done, all)` is called as it goes on. Whatever goes wrong with the files becomes the outcome, except that stdout
/// cannot be written. Throws: output_error.
picture_outcome split_picture(rankpool::executor& pool, const picture_settings& settings, const picture_files& files,
                              const std::function<void(std::uint64_t, std::uint64_t)>& strips_done);

}  // namespace jobs

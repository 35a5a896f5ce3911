// Reads the outcome of a map's piece: length and results of the items that succeeded, then index and exception
// of those that failed. And what happens when nobody reads on.
#include <rankpool/map_results.hpp>

namespace rankpool::detail {

std::exception_ptr piece_error(const finished_piece& piece) {
  if (piece.result.what == outcome::kind::not_run) return piece.result.error;
  byte_reader in(piece.result.bytes);
  const auto& where = *piece.result.where;
  return decode_exception(in, {.rank = where.rank, .host = where.host, .task = piece.first, .type_name = {}, .trace = {}});
}

piece_reader::piece_reader(finished_piece p) : piece_(std::move(p)) {
  outcome& result = piece_.result;
  try {
    switch (result.what) {
      case outcome::kind::not_run:
      case outcome::kind::threw: whole_ = piece_error(piece_); return;
      case outcome::kind::value: {
        byte_reader in(result.bytes, result.beside);
        results_ = in.sub(in.get_count(1));
        failures_left_ = in.get<std::uint64_t>();
        failures_ = in;
        if (failures_left_ > 0) next_failure_ = failures_.get<std::uint64_t>();
        return;
      }
    }
  } catch (...) {
    whole_ = std::current_exception();
  }
}

void job_owner::cancel() noexcept {
  if (job_ == nullptr) return;
  try {
    job_->drop();
  } catch (...) {  // only memory can fail here; the items then run, unread
  }
  job_.reset();
}

std::exception_ptr piece_reader::advance() {
  const std::uint64_t item = at_++;
  if (whole_ != nullptr) return whole_;
  if (item != next_failure_) return nullptr;
  const auto& where = *piece_.result.where;
  auto e = decode_exception(
      failures_, {.rank = where.rank, .host = where.host, .task = piece_.first + item, .type_name = {}, .trace = {}});
  next_failure_ = --failures_left_ > 0 ? failures_.get<std::uint64_t>() : no_limit;
  return e;
}

}  // namespace rankpool::detail

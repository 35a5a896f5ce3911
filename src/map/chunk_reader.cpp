// Decodes the outcome of a map's chunk. It consists of the length in bytes of all results, the results of the items that succeeded,
// the number of items that failed, and for each of these its index, the length in bytes of its exception, and the exception.
#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/detail/map/chunk_reader.hpp>

#include <algorithm>
#include <utility>

namespace rankpool::detail {

std::exception_ptr chunk_error(std::uint64_t first, const outcome& result) {
  if (result.what == outcome::kind::not_run) return result.error;
  byte_reader in(result.bytes);
  return decode_exception(in, *result.where, first);
}

chunk_reader::chunk_reader(finished_chunk p) : chunk_(std::move(p)) {
  outcome& result = chunk_.result;
  try {
    switch (result.what) {
      case outcome::kind::not_run:
      case outcome::kind::threw: whole_ = chunk_error(chunk_.first, result); return;
      case outcome::kind::value: {
        byte_reader in(result.bytes, result.out_of_band);
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

std::exception_ptr chunk_reader::advance_to_failure() {
  const std::uint64_t item = at_++;
  if (whole_ != nullptr) return whole_;
  byte_reader exception{nullptr, 0};
  try {  // moves to the next failure before decode_exception(), which may throw
    exception = failures_.sub(failures_.get_count(1));
    next_failure_ = --failures_left_ > 0 ? failures_.get<std::uint64_t>() : std::numeric_limits<std::uint64_t>::max();
  } catch (...) {
    whole_ = std::current_exception();
    return whole_;
  }
  if (const auto found = chunk_.retried.find(item); found != chunk_.retried.end()) {
    retried_ = std::make_unique<chunk_reader>(finished_chunk{chunk_.first + item, 1, std::move(found->second)});
    current_ = &retried_->results();
    return retried_->advance();
  }
  return decode_exception(exception, *chunk_.result.where, chunk_.first + item);
}

std::uint64_t count_failures(const outcome& result) {
  try {
    byte_reader in(result.bytes, result.out_of_band);
    (void)in.sub(in.get_count(1));
    return in.get<std::uint64_t>();
  } catch (const std::exception&) {  // whoever reads the chunk gets the error
    return 0;
  }
}

std::vector<failed_items::example> failures_of(std::uint64_t first, const outcome& result, std::uint64_t most) {
  std::vector<failed_items::example> failures;
  try {
    byte_reader in(result.bytes, result.out_of_band);
    (void)in.sub(in.get_count(1));
    for (auto left = std::min(in.get<std::uint64_t>(), most); left > 0; --left) {
      const auto item = first + in.get<std::uint64_t>();
      byte_reader exception = in.sub(in.get_count(1));
      failures.push_back({item, decode_exception(exception, *result.where, item)});
    }
  } catch (const std::exception&) {  // whoever reads the chunk gets the error
  }
  return failures;
}

}  // namespace rankpool::detail

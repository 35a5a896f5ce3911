#include "exec/ordered_output.hpp"

#include <span>
#include <utility>

#include "engine/output.hpp"

namespace jobs {
namespace {

std::size_t bytes_of(const printed& what) { return what.out.size() + what.err.size() + what.record.size(); }

}  // namespace

ordered_output::ordered_output(printer print, std::size_t most_bytes, std::uint64_t file_bytes)
    : print_(std::move(print)), most_bytes_(most_bytes), file_bytes_(file_bytes) {}

void ordered_output::add(std::uint64_t sequence, printed what) {
  if (sequence != next_) return keep(sequence, std::move(what));
  print_(what);
  ++next_;
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    print_(take(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
    ++next_;
  }
}

void ordered_output::finish() {
  for (auto& [sequence, kept] : waiting_) {
    next_ = sequence + 1;
    print_(take(kept));
  }
  waiting_.clear();
}

void ordered_output::keep(std::uint64_t sequence, printed what) {
  waiting kept;
  const std::size_t bytes = bytes_of(what);
  if (bytes_in_memory_ + bytes <= most_bytes_) {
    bytes_in_memory_ += bytes;
    kept.in_memory = std::move(what);
  } else {
    write(kept, what);
  }
  waiting_.emplace(sequence, std::move(kept));
}

void ordered_output::write(waiting& kept, const printed& what) try {
  kept.on_disk = file_.lock();
  if (kept.on_disk == nullptr || file_end_ >= file_bytes_) {
    kept.on_disk = std::make_shared<file>(file::scratch());
    file_ = kept.on_disk;
    file_end_ = 0;
  }
  kept.offset = file_end_;
  kept.lengths = {what.out.size(), what.err.size(), what.record.size()};
  for (const std::string* text : {&what.out, &what.err, &what.record}) {
    kept.on_disk->write_items(std::span(*text), file_end_);
    file_end_ += text->size();
  }
} catch (const file_error& error) {
  throw output_error(error.code(), "cannot keep output until its turn in TMPDIR (--as-completed keeps none)");
}

printed ordered_output::take(waiting& kept) {
  if (kept.on_disk == nullptr) {
    bytes_in_memory_ -= bytes_of(kept.in_memory);
    return std::move(kept.in_memory);
  }
  printed what;
  std::uint64_t offset = kept.offset;
  std::size_t which = 0;
  for (std::string* text : {&what.out, &what.err, &what.record}) {
    text->resize(kept.lengths[which++]);
    kept.on_disk->read_items(std::span(*text), offset);
    offset += text->size();
  }
  return what;
}

}  // namespace jobs

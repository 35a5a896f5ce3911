#include <rankpool/detail/map/item_source.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rankpool::detail {
namespace {

std::uint64_t begin_of(const item_batch& batch, std::uint64_t item) { return item == 0 ? 0 : batch.ends[item - 1]; }

// Writes the items [first, first + count) of a batch, and the references in them.
void copy_items(byte_writer& out, const item_batch& batch, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t begin = begin_of(batch, first);
  const std::uint64_t end = begin_of(batch, first + count);
  const std::size_t target = out.size();
  out.raw(batch.bytes.data() + begin, end - begin);
  if (!out.collects_references()) return;
  const auto& all = batch.references;
  for (auto r = std::ranges::lower_bound(all, begin, {}, &shared_reference::offset); r != all.end() && r->offset < end; ++r) {
    out.refer_to(r->value, target + (r->offset - begin));
  }
}

}  // namespace

item_batch part_of(const item_batch& batch, std::uint64_t first, std::uint64_t count) {
  item_batch part;
  part.count = count;
  if (batch.ends.empty()) return part;
  byte_writer out(part.bytes, nullptr, &part.references);
  copy_items(out, batch, first, count);
  const std::uint64_t begin = begin_of(batch, first);
  part.ends.reserve(count);
  for (std::uint64_t i = first; i < first + count; ++i) part.ends.push_back(batch.ends[i] - begin);
  return part;
}

void packed_source::append(item_batch batch) {
  if (batch.count > 0) batches_.push_back(std::move(batch));
}

void packed_source::cut(byte_writer& out, std::uint64_t, std::uint64_t count) {
  while (count > 0) {
    if (batches_.empty()) throw std::logic_error("item source: more items are cut than were added");
    const item_batch& batch = batches_.front();
    const std::uint64_t taken = std::min(count, batch.count - at_);
    copy_items(out, batch, at_, taken);
    count -= taken;
    at_ += taken;
    if (at_ == batch.count) {
      batches_.pop_front();
      at_ = 0;
    }
  }
}

}  // namespace rankpool::detail

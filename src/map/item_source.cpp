#include <rankpool/detail/map/item_source.hpp>

#include <algorithm>
#include <iterator>
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

// Appends the items [first, first + count) of another batch.
void append_items(item_batch& batch, const item_batch& from, std::uint64_t first, std::uint64_t count) {
  batch.count += count;
  if (from.ends.empty()) return;
  byte_writer out(batch.bytes, nullptr, &batch.references);
  const std::uint64_t target = out.size();
  copy_items(out, from, first, count);
  const std::uint64_t begin = begin_of(from, first);
  for (std::uint64_t i = first; i < first + count; ++i) batch.ends.push_back(target + (from.ends[i] - begin));
}

}  // namespace

item_batch part_of(const item_batch& batch, std::uint64_t first, std::uint64_t count) {
  item_batch part;
  part.ends.reserve(batch.ends.empty() ? 0 : count);
  append_items(part, batch, first, count);
  return part;
}

void packed_source::append(item_batch batch) {
  if (batch.count > 0) batches_.push_back(std::move(batch));
}

void packed_source::cut(byte_writer& out, std::uint64_t first, std::uint64_t count) {
  item_batch* const kept = keeps_ && count > 0 ? &kept_[first] : nullptr;
  while (count > 0) {
    if (batches_.empty()) throw std::logic_error("item source: more items are cut than were added");
    const item_batch& batch = batches_.front();
    const std::uint64_t taken = std::min(count, batch.count - at_);
    copy_items(out, batch, at_, taken);
    if (kept != nullptr) append_items(*kept, batch, at_, taken);
    count -= taken;
    at_ += taken;
    if (at_ == batch.count) {
      batches_.pop_front();
      at_ = 0;
    }
  }
}

// Returns the kept chunk that contains these items.
std::map<std::uint64_t, item_batch>::iterator packed_source::find_kept(std::uint64_t first, std::uint64_t count) {
  const auto next = kept_.upper_bound(first);
  if (next != kept_.begin()) {
    const auto found = std::prev(next);
    if (first + count <= found->first + found->second.count) return found;
  }
  throw std::logic_error("item source: items are cut again that were not kept");
}

void packed_source::cut_again(byte_writer& out, std::uint64_t first, std::uint64_t count) {
  const auto found = find_kept(first, count);
  copy_items(out, found->second, first - found->first, count);
}

void packed_source::divide(std::uint64_t first, std::uint64_t count) {
  if (!keeps_) return;
  divide_at(first);
  if (find_kept(first, count)->second.count > count) divide_at(first + count);
}

// The kept chunk that contains this item becomes two, the second of which begins there.
void packed_source::divide_at(std::uint64_t first) {
  const auto found = find_kept(first, 1);
  const std::uint64_t before = first - found->first;
  if (before == 0) return;
  const item_batch whole = std::move(found->second);
  found->second = part_of(whole, 0, before);
  kept_.emplace(first, part_of(whole, before, whole.count - before));
}

}  // namespace rankpool::detail

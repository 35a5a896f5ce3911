// Defines the log of shared values: a head, then an entry_head and the bytes of each value that has no memory of its own.
#include "runner/share_log.hpp"

#include "shared/shared_segment.hpp"
#include "shared/shared_table.hpp"

#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/errors.hpp>

#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rankpool::detail {
namespace {

enum class entry_kind : std::uint32_t { value, mapped, missing, removed };

struct entry_head {
  std::uint64_t id = 0;
  std::uint64_t size = 0;   // of the shared value
  std::uint64_t bytes = 0;  // that follow: the value, or the reason why it is missing
  entry_kind kind{};
  std::int32_t pid = 0;
  std::int32_t descriptor = -1;
  std::uint32_t padding = 0;
};

constexpr std::size_t rewritten_bytes = 1 << 20;  // a shorter log is never rewritten

share_log_head& head_of(const growing_memory& memory) { return *reinterpret_cast<share_log_head*>(memory.data()); }

}  // namespace

// ---- the worker's end

void share_log::write_head() {
  auto* const head = new (memory_.data()) share_log_head;
  head->end.store(sizeof(share_log_head));
}

std::size_t share_log::append(std::uint64_t id, const share_source& source, bool is_removed) {
  std::string reason;
  std::shared_ptr<const shared_data> data;
  entry_head entry{.id = id, .size = source.size, .kind = entry_kind::removed, .pid = source.pid, .descriptor = source.descriptor};
  std::span<const std::byte> content;
  if (!is_removed && source.pid != 0) {
    entry.kind = entry_kind::mapped;
  } else if (!is_removed) {
    try {
      data = shared_data::find(id);
      content = data->bytes();
      entry.kind = entry_kind::value;
    } catch (const std::exception& e) {
      reason = e.what();
      content = std::as_bytes(std::span(reason));
      entry.kind = entry_kind::missing;
    }
  }
  entry.bytes = content.size();
  const std::uint64_t at = head_of(memory_).end;
  std::byte* const out = memory_.allocate(at + sizeof entry + content.size()) + at;
  std::memcpy(out, &entry, sizeof entry);
  if (!content.empty()) std::memcpy(out + sizeof entry, content.data(), content.size());
  head_of(memory_).end.store(at + sizeof entry + content.size(), std::memory_order_release);
  return sizeof entry + content.size();
}

void share_log::add(std::uint64_t id, const share_source& source) {
  const std::size_t bytes = append(id, source, false);
  values_[id] = {source, bytes};
  live_bytes_ += bytes;
}

void share_log::remove(std::uint64_t id) {
  const auto found = values_.find(id);
  if (found == values_.end()) return;
  live_bytes_ -= found->second.bytes;
  values_.erase(found);
  (void)append(id, {}, true);
  const std::uint64_t end = head_of(memory_).end;
  if (end > rewritten_bytes && 2 * live_bytes_ < end) rewrite();
}

void share_log::rewrite() {
  head_of(memory_).edition.fetch_add(1);
  std::atomic_thread_fence(std::memory_order_release);
  head_of(memory_).end.store(sizeof(share_log_head));
  for (const auto& [id, entry] : values_) (void)append(id, entry.source, false);  // needs no more memory than before
  head_of(memory_).edition.fetch_add(1);
}

// ---- the runner's end

share_reader::share_reader(growing_memory& memory) : memory_(memory), read_(sizeof(share_log_head)) {
  await_shared_values_with([this] { pull(); });
}

share_reader::~share_reader() { await_shared_values_with(nullptr); }

void share_reader::pull() {
  const std::lock_guard lock(mutex_);
  std::vector<std::byte> entries;
  std::uint32_t edition = 0;
  std::uint64_t begin = 0;
  for (;;) {  // until no rewrite has happened meanwhile
    edition = head_of(memory_).edition;
    if (edition % 2 != 0) {
      std::this_thread::yield();
      continue;
    }
    begin = edition == edition_ ? read_ : sizeof(share_log_head);
    const std::uint64_t end = head_of(memory_).end.load(std::memory_order_acquire);
    if (edition == edition_ && end == read_) return;
    if (end < begin) continue;
    const std::byte* const log = memory_.map(end);
    entries.assign(log + begin, log + end);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (head_of(memory_).edition == edition) break;
  }
  std::set<std::uint64_t> present;
  for (byte_reader in(entries.data(), entries.size()); in.remaining() > 0;) {
    const auto entry = in.get<entry_head>();
    const std::span<const std::byte> content(in.take(entry.bytes), entry.bytes);
    if (entry.kind == entry_kind::removed) {
      if (known_.erase(entry.id) > 0) forget_received(entry.id);
      continue;
    }
    present.insert(entry.id);
    if (!known_.insert(entry.id).second) continue;
    if (entry.kind == entry_kind::value) {
      auto copy = aligned_copy(content);
      const std::span<const std::byte> bytes(copy.get(), content.size());
      note_received(std::make_shared<const shared_data>(entry.id, std::move(copy), bytes));
    } else if (entry.kind == entry_kind::missing) {
      note_missing(entry.id, {reinterpret_cast<const char*>(content.data()), content.size()});
    } else {
      try {
        auto segment = shared_segment::map(entry.pid, entry.descriptor, entry.size);
        const std::span<const std::byte> bytes = segment->bytes();
        note_received(std::make_shared<const shared_data>(entry.id, std::move(segment), bytes));
      } catch (const std::exception& e) {
        note_missing(entry.id, std::string("share: a value is not available in a runner process: ") + e.what());
      }
    }
  }
  if (edition != edition_) forget_all_but(present);
  edition_ = edition;
  read_ = begin + entries.size();
}

void share_reader::forget_all_but(const std::set<std::uint64_t>& present) {
  std::erase_if(known_, [&](std::uint64_t id) {
    if (present.contains(id)) return false;
    forget_received(id);
    return true;
  });
}

}  // namespace rankpool::detail

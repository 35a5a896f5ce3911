#include "shared_table.hpp"

#include <rankpool/errors.hpp>

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr auto longest_way = std::chrono::minutes(10);  // of data that was sent before the task that needs it

struct received_entry {
  std::shared_ptr<const shared_data> data;  // null: missing
  std::string why_missing;
  int workers = 0;  // of this process; several in tests only
};

// Never destroyed: handles of static storage may go later.
struct table {
  std::mutex mutex;
  std::condition_variable arrived;
  std::map<std::uint64_t, std::weak_ptr<const shared_data>> given;
  std::map<std::uint64_t, received_entry> received;
  std::uint64_t next = 0;
};

table& the_table() {
  static auto& t = *new table;
  return t;
}

}  // namespace

std::uint64_t new_shared_id() {
  table& t = the_table();
  std::lock_guard lock(t.mutex);
  if (t.next == 0) {  // several processes of a launch may lead pools
    std::random_device random;
    t.next = (static_cast<std::uint64_t>(random()) << 32 ^ static_cast<std::uint64_t>(getpid()) << 40) & ~std::uint64_t{0xFFFFFFFF};
  }
  return ++t.next;
}

void note_given(const std::shared_ptr<const shared_data>& data) {
  table& t = the_table();
  std::lock_guard lock(t.mutex);
  std::erase_if(t.given, [](const auto& entry) { return entry.second.expired(); });
  t.given[data->id()] = data;
}

void note_received(std::shared_ptr<const shared_data> data) {
  table& t = the_table();
  {
    std::lock_guard lock(t.mutex);
    auto& entry = t.received[data->id()];
    ++entry.workers;
    if (entry.data == nullptr) entry.data = std::move(data);
  }
  t.arrived.notify_all();
}

void note_missing(std::uint64_t id, std::string why) {
  table& t = the_table();
  {
    std::lock_guard lock(t.mutex);
    auto& entry = t.received[id];
    ++entry.workers;
    if (entry.why_missing.empty()) entry.why_missing = std::move(why);
  }
  t.arrived.notify_all();
}

void forget_received(std::uint64_t id) {
  table& t = the_table();
  std::shared_ptr<const shared_data> gone;  // destroyed after the lock
  std::lock_guard lock(t.mutex);
  const auto entry = t.received.find(id);
  if (entry == t.received.end() || --entry->second.workers > 0) return;
  gone = std::move(entry->second.data);
  t.received.erase(entry);
}

const digest& shared_data::content() const {
  std::lock_guard lock(mutex_);
  if (!content_) content_ = digest_of(bytes_);
  return *content_;
}

std::shared_ptr<const shared_data> shared_data::find(std::uint64_t id) {
  table& t = the_table();
  std::unique_lock lock(t.mutex);
  std::shared_ptr<const shared_data> found;
  const auto look = [&] {
    if (const auto entry = t.received.find(id); entry != t.received.end()) {
      found = entry->second.data;
      if (found == nullptr) throw serialization_error(entry->second.why_missing);
    }
    if (const auto entry = t.given.find(id); found == nullptr && entry != t.given.end()) found = entry->second.lock();
    return found != nullptr;
  };
  if (!t.arrived.wait_for(lock, longest_way, look)) {
    throw serialization_error("shared data " + std::to_string(id) + " has not arrived here, or is not needed any more");
  }
  return found;
}

}  // namespace rankpool::detail

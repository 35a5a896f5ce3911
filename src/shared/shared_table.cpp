// The table of shared values. shared_data::find() waits for a value that has not arrived.
#include "shared/shared_table.hpp"

#include "support/single_copy.hpp"

#include <rankpool/errors.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr auto pull_interval = std::chrono::milliseconds(1);
constexpr auto arrival_timeout = std::chrono::minutes(10);  // for data that was sent before the task that needs it

struct received_entry {
  std::shared_ptr<const shared_data> data;  // null if it could not be received
  std::string missing_reason;
  int workers = 0;  // workers of this process that have received it; more than one in tests only
};

// Never destroyed, because static handles may be destroyed later.
struct table {
  std::mutex mutex;
  std::condition_variable arrived;
  std::map<std::uint64_t, std::weak_ptr<const shared_data>> sent;
  std::map<std::uint64_t, received_entry> received;
  std::uint64_t next = 0;
  std::function<void()> pull;
};

table& the_table() {
  static auto& t = *new table;
  return t;
}

}  // namespace

std::uint64_t new_shared_id() {
  table& t = the_table();
  std::lock_guard lock(t.mutex);
  if (t.next == 0) {  // the first half is random, because several processes of a launch may lead pools
    std::random_device random;
    t.next = (static_cast<std::uint64_t>(random()) << 32 ^ static_cast<std::uint64_t>(getpid()) << 40) & ~std::uint64_t{0xFFFFFFFF};
  }
  return ++t.next;
}

void note_given(const std::shared_ptr<const shared_data>& data) {
  table& t = the_table();
  std::lock_guard lock(t.mutex);
  std::erase_if(t.sent, [](const auto& entry) { return entry.second.expired(); });
  t.sent[data->id()] = data;
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
    if (entry.missing_reason.empty()) entry.missing_reason = std::move(why);
  }
  t.arrived.notify_all();
}

void await_shared_values_with(std::function<void()> pull) {
  table& t = the_table();
  std::lock_guard lock(t.mutex);
  t.pull = std::move(pull);
}

void forget_received(std::uint64_t id) {
  table& t = the_table();
  std::shared_ptr<const shared_data> released;  // destroyed after the lock
  std::lock_guard lock(t.mutex);
  const auto entry = t.received.find(id);
  if (entry == t.received.end() || --entry->second.workers > 0) return;
  released = std::move(entry->second.data);
  t.received.erase(entry);
}

const digest& shared_data::content() const {
  std::lock_guard lock(mutex_);
  if (!has_content_) content_ = digest_of(bytes_);
  has_content_ = true;
  return content_;
}

std::shared_ptr<const shared_data> shared_data::find(std::uint64_t id) {
  table& t = the_table();
  std::unique_lock lock(t.mutex);
  std::shared_ptr<const shared_data> found;
  const auto look = [&] {
    if (const auto entry = t.received.find(id); entry != t.received.end()) {
      found = entry->second.data;
      if (found == nullptr) throw serialization_error(entry->second.missing_reason);
    }
    if (const auto entry = t.sent.find(id); found == nullptr && entry != t.sent.end()) found = entry->second.lock();
    return found != nullptr;
  };
  const auto deadline = std::chrono::steady_clock::now() + arrival_timeout;
  for (;;) {
    const auto next_pull = std::chrono::steady_clock::now() + pull_interval;
    const auto until = t.pull == nullptr ? deadline : std::min(deadline, next_pull);
    if (t.arrived.wait_until(lock, until, look)) return found;
    if (until == deadline) break;
    const auto pull = t.pull;
    lock.unlock();
    pull();
    lock.lock();
  }
  throw serialization_error("shared value " + std::to_string(id) + " has not arrived on this rank, or was released");
}

}  // namespace rankpool::detail

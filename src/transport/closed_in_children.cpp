#include "transport/closed_in_children.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace rankpool::detail {
namespace {

// Never destroyed, because a process may fork at its end.
struct descriptor_list {
  std::mutex mutex;
  std::vector<int> descriptors;
};

descriptor_list& listed() {
  static auto& list = *new descriptor_list;
  return list;
}

void lock() { listed().mutex.lock(); }

void unlock() { listed().mutex.unlock(); }

void close_all_and_unlock() {
  for (const int descriptor : listed().descriptors) ::close(descriptor);
  listed().descriptors.clear();
  unlock();
}

}  // namespace

closed_in_children::closed_in_children(int descriptor) : descriptor_(descriptor) {
  static const int handlers = ::pthread_atfork(lock, unlock, close_all_and_unlock);
  (void)handlers;  // without memory for them, a child keeps the descriptor
  const std::lock_guard guard(listed().mutex);
  listed().descriptors.push_back(descriptor_);
}

closed_in_children::~closed_in_children() {
  const std::lock_guard guard(listed().mutex);
  std::erase(listed().descriptors, descriptor_);
}

}  // namespace rankpool::detail

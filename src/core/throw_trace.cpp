#include "throw_trace.hpp"

#include "current_worker.hpp"

#include <boost/stacktrace/frame.hpp>
#include <boost/stacktrace/stacktrace.hpp>

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace rankpool::detail {
namespace {

constexpr std::size_t most_throws = 8;    // a chain of nested exceptions longer than this keeps its outer traces
constexpr std::size_t most_frames = 64;
constexpr std::size_t most_names = 4096;  // kept for the next time

struct noted_throw {
  const void* object = nullptr;
  boost::stacktrace::stacktrace frames{0, 0};
};

struct noted_throws {
  std::array<noted_throw, most_throws> ring;
  std::size_t next = 0;
};

noted_throws& throws() {
  thread_local noted_throws of_this_thread;
  return of_this_thread;
}

thread_local bool noting = false;  // what notes a throw may throw itself

// Never inlined: it leaves itself and __cxa_throw out of what it notes.
[[gnu::noinline]] void note_throw(const void* object) noexcept {
  if (current_worker == nullptr || noting) return;
  noting = true;
  try {
    noted_throws& noted = throws();
    noted_throw& here = noted.ring[noted.next++ % most_throws];
    here.object = object;
    here.frames = boost::stacktrace::stacktrace(2, most_frames);
  } catch (...) {  // no memory for it: the exception goes on without
  }
  noting = false;
}

/// "function at file:line" or "function in module", as far as the build knows it.
std::string name_of(const boost::stacktrace::frame& frame) {
  static std::mutex mutex;
  static std::unordered_map<const void*, std::string> names;
  std::lock_guard lock(mutex);
  if (const auto known = names.find(frame.address()); known != names.end()) return known->second;
  if (names.size() >= most_names) names.clear();
  return names[frame.address()] = boost::stacktrace::to_string(frame);
}

/// Whether this frame is the pool's own, which has called the task.
bool is_caller_of_task(std::string_view name) {
  for (const std::string_view prefix : {"rankpool::detail::run_", "rankpool::detail::worker::"}) {
    if (name.find(prefix) < name.find('(')) return true;
  }
  return false;
}

}  // namespace

std::string throw_trace(const std::exception_ptr& e) {
  if (e == nullptr) return {};
  static_assert(sizeof(std::exception_ptr) == sizeof(void*));
  const void* object = *reinterpret_cast<const void* const*>(&e);  // the thrown object, as __cxa_throw saw it
  noted_throws& noted = throws();
  std::string text;
  for (std::size_t back = 1; back <= most_throws; ++back) {
    const noted_throw& candidate = noted.ring[(noted.next + most_throws - back) % most_throws];
    if (candidate.object != object) continue;
    int n = 0;
    for (const boost::stacktrace::frame& frame : candidate.frames) {
      const std::string name = name_of(frame);
      if (is_caller_of_task(name)) break;
      text += '#' + std::to_string(n++) + ' ' + name + '\n';
    }
    break;
  }
  return text;
}

void forget_throws() noexcept {
  noted_throws& noted = throws();
  if (noted.next == 0) return;
  for (noted_throw& t : noted.ring) t.object = nullptr;
  noted.next = 0;
}

}  // namespace rankpool::detail

// In front of the C++ runtime's own, which is called in the end. By another name for the compiler, which has declared
// that one already. Weak: in a program that links the runtime statically the runtime's wins, and there are no traces.
// The address sanitizer has one as well, weak too, which tells it that stack frames are left: done for it here.
#if defined(__has_feature)
#define RANKPOOL_HAS_ASAN __has_feature(address_sanitizer)
#else
#define RANKPOOL_HAS_ASAN 0
#endif
#if RANKPOOL_HAS_ASAN
#include <sanitizer/asan_interface.h>
#define RANKPOOL_THROW_HOOK __attribute__((visibility("default")))
#else
#define RANKPOOL_THROW_HOOK __attribute__((weak, visibility("default")))
#endif

extern "C" {
[[noreturn]] void rankpool_throw(void* object, void* type, void (*destroy)(void*)) __asm__("__cxa_throw");

RANKPOOL_THROW_HOOK void rankpool_throw(void* object, void* type, void (*destroy)(void*)) {
  static const auto runtime = reinterpret_cast<decltype(&rankpool_throw)>(dlsym(RTLD_NEXT, "__cxa_throw"));
  rankpool::detail::note_throw(object);
#if RANKPOOL_HAS_ASAN
  __asan_handle_no_return();
#endif
  if (runtime != nullptr) runtime(object, type, destroy);
  std::abort();
}
}

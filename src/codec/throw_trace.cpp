// Records the stack of each throw in a replacement of __cxa_throw, and formats recorded stacks.
#include "codec/throw_trace.hpp"

#include <boost/stacktrace/frame.hpp>
#include <boost/stacktrace/stacktrace.hpp>

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::size_t max_throws = 8;  // a longer chain of nested exceptions keeps its outer traces
constexpr std::size_t max_frames = 64;
constexpr std::size_t max_names = 4096;  // in the cache of frame names

struct recorded_throw {
  const void* object = nullptr;
  boost::stacktrace::stacktrace frames{0, 0};
};

struct recorded_throws {
  std::array<recorded_throw, max_throws> ring;
  std::size_t next = 0;
};

recorded_throws& throws() {
  thread_local recorded_throws of_this_thread;
  return of_this_thread;
}

thread_local bool is_recording_enabled = false;
thread_local bool is_recording = false;  // guards against a throw during recording

// Records the stack of a throw. Not inlined, because it skips its own frame and that of __cxa_throw.
[[gnu::noinline]] void record_throw(const void* object) noexcept {
  if (!is_recording_enabled || is_recording) return;
  is_recording = true;
  try {
    recorded_throws& recorded = throws();
    recorded_throw& here = recorded.ring[recorded.next++ % max_throws];
    here.object = object;
    here.frames = boost::stacktrace::stacktrace(2, max_frames);
  } catch (...) {  // out of memory: the exception has no trace
  }
  is_recording = false;
}

/// Returns "function at file:line" or "function in module", depending on the build's debug information.
std::string name_of(const boost::stacktrace::frame& frame) {
  static std::mutex mutex;
  static std::unordered_map<const void*, std::string> names;
  std::lock_guard lock(mutex);
  if (const auto known = names.find(frame.address()); known != names.end()) return known->second;
  if (names.size() >= max_names) names.clear();
  return names[frame.address()] = boost::stacktrace::to_string(frame);
}

/// Returns whether a stack frame belongs to a function of the pool that calls tasks.
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
  const void* object = *reinterpret_cast<const void* const*>(&e);  // the exception object, as passed to __cxa_throw
  recorded_throws& recorded = throws();
  std::string text;
  for (std::size_t back = 1; back <= max_throws; ++back) {
    const recorded_throw& candidate = recorded.ring[(recorded.next + max_throws - back) % max_throws];
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

void prepare_throw_traces() {
  for (const boost::stacktrace::frame& frame : boost::stacktrace::stacktrace(0, 1)) (void)name_of(frame);
}

void forget_throws() noexcept {
  recorded_throws& recorded = throws();
  if (recorded.next == 0) return;
  for (recorded_throw& t : recorded.ring) t.object = nullptr;
  recorded.next = 0;
}

bool set_throw_recording(bool enabled) noexcept { return std::exchange(is_recording_enabled, enabled); }

}  // namespace rankpool::detail

// Replaces __cxa_throw of the C++ runtime, and calls the original at the end. It has another name in C++, because the compiler
// declares __cxa_throw itself. It is weak: in a program that links the runtime statically, the runtime's function wins and there
// are no traces. The address sanitizer also replaces __cxa_throw by a weak function, which tells it that stack frames are left.
// With the sanitizer, this function is not weak and tells it instead.
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
  rankpool::detail::record_throw(object);
#if RANKPOOL_HAS_ASAN
  __asan_handle_no_return();
#endif
  if (runtime != nullptr) runtime(object, type, destroy);
  std::abort();
}
}

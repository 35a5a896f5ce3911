// isolated_tasks SEED TASKS: isolated tasks of which a random 1 % crash, 1 % time out, 1 % exceed the memory limit and 1 % throw.
//
// Every future must have what its task does, each rank must have as many open descriptors as before, and the pool must still
// compute. The last tenth of the tasks are items of a map. Prints one line, and exits with 0 if everything was right.
#include <rankpool/rankpool.hpp>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <new>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

enum class fate { computes, crashes, hangs, fills_memory, throws };

constexpr std::array names{"computed", "crashed", "timed out", "exceeded memory", "threw"};

/// Returns a number that depends on the seed and the task only (the finalizer of splitmix64).
std::uint64_t random_of(std::uint64_t seed, std::uint64_t task) {
  std::uint64_t x = seed * 0x9E3779B97F4A7C15 + task;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

fate fate_of(std::uint64_t seed, std::uint64_t task, bool is_item) {
  switch (random_of(seed, task) % 100) {
    case 0: return fate::crashes;
    case 1: return is_item ? fate::computes : fate::hangs;  // the time limit of a map would apply to all items
    case 2: return fate::fills_memory;
    case 3: return fate::throws;
    default: return fate::computes;
  }
}

std::uint64_t answer(std::uint64_t seed, std::uint64_t task) { return random_of(seed ^ 42, task); }

std::uint64_t work(std::uint64_t seed, std::uint64_t task, bool is_item) {
  const std::uint64_t random = random_of(seed, task);
  switch (fate_of(seed, task, is_item)) {
    case fate::crashes: {
      constexpr std::array ends{SIGSEGV, SIGABRT, SIGKILL, SIGBUS, SIGTERM};
      const std::size_t how = random / 100 % (ends.size() + 1);
      if (how == ends.size()) _exit(static_cast<int>(random / 1000 % 256));
      raise(ends[how]);
      break;
    }
    case fate::hangs:
      for (;;) pause();
    case fate::fills_memory:
      for (std::vector<std::vector<char>> all;;) all.emplace_back(1 << 20, 'x');
    case fate::throws: throw std::invalid_argument("task " + std::to_string(task));
    case fate::computes: break;
  }
  return answer(seed, task);
}

std::uint64_t item(std::uint64_t seed, std::uint64_t task) { return work(seed, task, true); }

int open_descriptors() { return static_cast<int>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {})); }

/// Calls `read`, which returns a result or throws, and returns what has happened.
template <class Read>
fate observe(Read read, std::uint64_t expected) {
  try {
    if (read() != expected) throw std::logic_error("a wrong result");
    return fate::computes;
  } catch (const rankpool::worker_lost& e) {
    return std::string(e.what()).find("memory limit") == std::string::npos ? fate::crashes : fate::fills_memory;
  } catch (const rankpool::timeout_error&) {
    return fate::hangs;
  } catch (const std::invalid_argument&) {
    return fate::throws;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const std::uint64_t tasks = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2000;
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    rankpool::executor plain(cluster);
    const auto before = plain.run_everywhere(open_descriptors);
    std::map<fate, std::uint64_t> counts;
    std::uint64_t wrong = 0;
    const auto check = [&](std::uint64_t task, bool is_item, fate found) {
      ++counts[found];
      if (found == fate_of(seed, task, is_item)) return;
      ++wrong;
      std::fprintf(stderr, "task %llu: %s, not: %s\n", static_cast<unsigned long long>(task),
                   names[static_cast<std::size_t>(found)], names[static_cast<std::size_t>(fate_of(seed, task, is_item))]);
    };
    {
      rankpool::executor pool(cluster, {.isolation = rankpool::isolation::process, .memory_limit_bytes = 64 << 20});
      const std::uint64_t submitted = tasks - tasks / 10;
      std::vector<rankpool::future<std::uint64_t>> futures;
      for (std::uint64_t t = 0; t < submitted; ++t) {
        rankpool::task_options options;
        if (fate_of(seed, t, false) == fate::hangs) options.timeout = 50ms;
        futures.push_back(pool.submit(options, work, seed, t, false));
      }
      for (std::uint64_t t = 0; t < submitted; ++t) {
        check(t, false, observe([&] { return futures[t].result(); }, answer(seed, t)));
      }
      auto results = pool.map(rankpool::partial(item, seed), std::views::iota(submitted, tasks));
      auto next = results.begin();
      for (std::uint64_t t = submitted; t < tasks; ++t, ++next) check(t, true, observe([&] { return *next; }, answer(seed, t)));
      if (pool.submit(answer, seed, tasks).result() != answer(seed, tasks)) ++wrong;
    }
    const auto after = plain.run_everywhere(open_descriptors);
    const bool leaks = before != after;
    std::printf("seed %llu:", static_cast<unsigned long long>(seed));
    for (const auto& [what, count] : counts) {
      std::printf(" %llu %s,", static_cast<unsigned long long>(count), names[static_cast<std::size_t>(what)]);
    }
    std::printf(" %llu wrong, descriptors %s\n", static_cast<unsigned long long>(wrong), leaks ? "leaked" : "as before");
    return wrong == 0 && !leaks ? 0 : 1;
  });
}

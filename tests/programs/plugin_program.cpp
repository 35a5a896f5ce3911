// Libraries that are unloaded and replaced by others while a pool runs: a task never runs a function of the wrong library.
//
//   plugin_program reload A B   rank 0 replaces A by B and back; the workers keep both
//   plugin_program swap A B     a task replaces A by B on its worker, which then gets further tasks of A
#include "support/plugin.hpp"

#include <rankpool/rankpool.hpp>

#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using support::plugin;

/// Loads the library, and unloads the one that this process has loaded before.
plugin::function load(const std::string& file) {
  static std::optional<std::pair<std::string, plugin>> loaded;
  if (!loaded || loaded->first != file) {
    loaded.reset();
    loaded.emplace(file, plugin(file));
  }
  return loaded->second.work();
}

void load_on_worker(const std::string& file) { (void)load(file); }

void keep_on_worker(const std::string& file) {
  static std::vector<plugin> kept;
  kept.emplace_back(file);
}

int call_and_load(plugin::function f, const std::string& next, int n) {
  const int result = f(n);
  if (!next.empty()) (void)load(next);
  return result;
}

int call(plugin::function f, int n) { return f(n); }

std::string text_of(auto read) {
  try {
    return std::to_string(read());
  } catch (const rankpool::serialization_error& e) {
    return std::string("error: ") + e.what();
  }
}

void reload(rankpool::cluster& cluster, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const plugin::function f = load(file);
    rankpool::executor pool(cluster, {.initializer = rankpool::partial(keep_on_worker, file)});
    std::cout << f(1);
    for (int i = 0; i < 3; ++i) {
      std::cout << ' ' << text_of([&] { return pool.submit(f, 1).result(); });            // as the callable
      std::cout << ' ' << text_of([&] { return pool.submit(call, f, 1).result(); });      // as an argument
      std::cout << ' ' << text_of([&] { return *pool.map(f, std::vector{1}).begin(); });  // in a chunk
    }
    std::cout << '\n';
  }
}

void swap(rankpool::cluster& cluster, const std::string& a, const std::string& b) {
  const plugin::function f = load(a);
  rankpool::executor pool(cluster, {.max_workers = 1, .initializer = rankpool::partial(load_on_worker, a)});
  auto results =
      pool.map({.chunksize = 4}, call_and_load, std::vector(4, f), std::vector<std::string>{"", b, "", a}, std::vector{1, 2, 3, 4});
  for (auto item = results.begin(); item != results.end(); ++item) std::cout << text_of([&] { return *item; }) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    const std::string a = argv[2];
    const std::string b = argv[3];
    if (std::string(argv[1]) == "reload") {
      reload(cluster, {a, b, a});
    } else {
      swap(cluster, a, b);
    }
  });
}

// Loads a library that also contains rankpool on every rank, and lets it use the pool: pool_plugin_program LIBRARY
#include <rankpool/rankpool.hpp>

#include <dlfcn.h>

#include <iostream>
#include <stdexcept>
#include <string>

namespace {

void* load(const std::string& file) {
  void* const handle = dlopen(file.c_str(), RTLD_NOW);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  return handle;
}

void load_on_worker(const std::string& file) { (void)load(file); }

}  // namespace

int main(int argc, char** argv) {
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    const std::string file = argv[1];
    auto* const use_pool = reinterpret_cast<const char* (*)(rankpool::executor&)>(dlsym(load(file), "use_pool"));
    rankpool::executor pool(cluster, {.initializer = rankpool::partial(load_on_worker, file)});
    std::cout << use_pool(pool) << '\n';
  });
}

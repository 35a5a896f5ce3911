// Loads and unloads the libraries that are built from plugin.cpp.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace support {

class plugin {
 public:
  using function = int (*)(int);

  /// Loads the library. Throws: std::runtime_error.
  explicit plugin(const std::string& file) : handle_(dlopen(file.c_str(), RTLD_NOW)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }
  plugin(plugin&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  plugin(const plugin&) = delete;
  plugin& operator=(const plugin&) = delete;
  ~plugin() {
    if (handle_ != nullptr) dlclose(handle_);
  }

  /// Returns the library's only function.
  function work() const { return reinterpret_cast<function>(dlsym(handle_, "work")); }

 private:
  void* handle_;
};

}  // namespace support

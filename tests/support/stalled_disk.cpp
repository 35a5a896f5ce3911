// A library for LD_PRELOAD that simulates a slow disk: fsync() and fdatasync() block while the file named by STALLED_WHILE exists.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

namespace {

void await_disk() {
  const char* const file = std::getenv("STALLED_WHILE");
  while (file != nullptr && access(file, F_OK) == 0) usleep(10'000);
}

int call(const char* name, int descriptor) { return reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name))(descriptor); }

}  // namespace

extern "C" {

int fsync(int descriptor) {
  await_disk();
  return call("fsync", descriptor);
}

int fdatasync(int descriptor) {
  await_disk();
  return call("fdatasync", descriptor);
}
}

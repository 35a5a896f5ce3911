// openblas_gemm A.npy B.npy C.npy [THREADS]: OpenBLAS alone on matrices of float64 in C order. Reads both matrices, multiplies,
// writes the product to the disk, and prints the time of each step.
#include <cblas.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct array {
  std::string header;  // in format version 1.0
  std::vector<double> numbers;
};

void read_all(int descriptor, char* into, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::read(descriptor, into, size < (1U << 30) ? size : 1U << 30);
    if (n <= 0) fail("read");
    into += n;
    size -= static_cast<std::size_t>(n);
  }
}

void write_all(int descriptor, const char* from, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(descriptor, from, size < (1U << 30) ? size : 1U << 30);
    if (n <= 0) fail("write");
    from += n;
    size -= static_cast<std::size_t>(n);
  }
}

array load(const char* path) {
  const int descriptor = ::open(path, O_RDONLY);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) fail(path);
  unsigned char start[10];
  read_all(descriptor, reinterpret_cast<char*>(start), sizeof start);
  const std::size_t length = start[8] + 256U * start[9];
  array result;
  result.header.assign(reinterpret_cast<char*>(start), sizeof start);
  result.header.resize(sizeof start + length);
  read_all(descriptor, &result.header[sizeof start], length);
  const std::size_t bytes = static_cast<std::size_t>(status.st_size) - result.header.size();
  result.numbers.resize(bytes / sizeof(double));
  read_all(descriptor, reinterpret_cast<char*>(result.numbers.data()), bytes);
  ::close(descriptor);
  return result;
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  openblas_set_num_threads(argc > 4 ? std::atoi(argv[4]) : 2);
  const double begin = seconds();
  const array a = load(argv[1]);
  const array b = load(argv[2]);
  const double loaded = seconds();
  int n = 0;  // rows and columns of the square matrices
  while (static_cast<std::size_t>(n) * static_cast<std::size_t>(n) < a.numbers.size()) ++n;
  std::vector<double> c(a.numbers.size());
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a.numbers.data(), n, b.numbers.data(), n, 0, c.data(), n);
  const double multiplied = seconds();
  const int descriptor = ::open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (descriptor < 0) fail(argv[3]);
  write_all(descriptor, a.header.data(), a.header.size());
  write_all(descriptor, reinterpret_cast<const char*>(c.data()), c.size() * sizeof(double));
  if (::fdatasync(descriptor) != 0 || ::close(descriptor) != 0) fail(argv[3]);
  std::printf("read %.3f s, multiplied %.3f s, written %.3f s\n", loaded - begin, multiplied - loaded, seconds() - multiplied);
}

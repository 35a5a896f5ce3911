// OpenBLAS is loaded for the first product of floating-point matrices. Loading it starts threads and allocates memory, which other
// jobs should not pay for.
#include <cblas.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "matrices/gemm.hpp"

namespace jobs {
namespace {

struct blas {
  decltype(&cblas_dgemm) dgemm;
  decltype(&cblas_sgemm) sgemm;
};

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr)
    throw std::runtime_error("cannot multiply floating-point matrices: OpenBLAS has no function " + std::string(name));
}

blas load() {
  void* library = nullptr;
  for (const char* name : {RANKPOOL_OPENBLAS_FILE, RANKPOOL_OPENBLAS_NAME}) {
    if (library == nullptr) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    const char* const reason = ::dlerror();
    throw std::runtime_error("cannot multiply floating-point matrices: OpenBLAS cannot be loaded: " +
                             std::string(reason == nullptr ? RANKPOOL_OPENBLAS_NAME : reason));
  }
  decltype(&openblas_set_num_threads) set_num_threads = nullptr;
  blas found{};
  find(library, "openblas_set_num_threads", set_num_threads);
  find(library, "cblas_dgemm", found.dgemm);
  find(library, "cblas_sgemm", found.sgemm);
  set_num_threads(1);
  return found;
}

}  // namespace

bool fits_blas(std::uint64_t stride) { return stride <= static_cast<std::uint64_t>(std::numeric_limits<blasint>::max()); }

void keep_blas_to_one_thread() { ::setenv("OPENBLAS_NUM_THREADS", "1", 1); }

template <class T>
void multiply(const block_view<T>& a, const block_view<T>& b, T* c, std::uint64_t rows, std::uint64_t columns, std::uint64_t inner,
              bool add, std::uint64_t depth) {
  static const blas library = load();
  const auto size = [](std::uint64_t n) { return static_cast<blasint>(n); };
  const auto order = [](const block_view<T>& view) { return view.by_columns ? CblasTrans : CblasNoTrans; };
  const auto gemm = [] {
    if constexpr (std::is_same_v<T, double>) {
      return library.dgemm;
    } else {
      return library.sgemm;
    }
  }();
  for (std::uint64_t k = 0; k < inner; k += depth) {
    const T* const left = a.first + k * (a.by_columns ? a.stride : 1);
    const T* const right = b.first + k * (b.by_columns ? 1 : b.stride);
    gemm(CblasRowMajor, order(a), order(b), size(rows), size(columns), size(std::min(depth, inner - k)), T{1}, left, size(a.stride),
         right, size(b.stride), add || k > 0 ? T{1} : T{0}, c, size(columns));
  }
}

template void multiply(const block_view<float>&, const block_view<float>&, float*, std::uint64_t, std::uint64_t, std::uint64_t,
                       bool, std::uint64_t);
template void multiply(const block_view<double>&, const block_view<double>&, double*, std::uint64_t, std::uint64_t, std::uint64_t,
                       bool, std::uint64_t);

}  // namespace jobs

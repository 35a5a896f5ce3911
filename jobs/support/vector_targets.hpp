// Files with vector kernels include this file before Highway. It selects the instruction sets that a kernel is compiled for.
// HWY_DYNAMIC_DISPATCH chooses the best one that the processor supports at run time.
//
// A kernel is compiled for AVX-512, AVX2 and the baseline on x86-64, and for NEON on ARM. It must give the same result on all of
// them. Highway's targets between and above these cost compile time and gain nothing here. SVE has no arrays of vectors.
// A file with kernels has this form; it is compiled once per target, with the part under HWY_ONCE only in the last pass:
//
//     #undef HWY_TARGET_INCLUDE
//     #define HWY_TARGET_INCLUDE "folder/file.cpp"
//     #include "support/vector_targets.hpp"
//     #include <hwy/foreach_target.h>
//     #include <hwy/highway.h>
//
//     HWY_BEFORE_NAMESPACE();
//     namespace jobs::HWY_NAMESPACE { ... }   // kernels; a lambda needs HWY_ATTR
//     HWY_AFTER_NAMESPACE();
//
//     #if HWY_ONCE
//     namespace jobs { HWY_EXPORT(kernel); ... HWY_DYNAMIC_DISPATCH(kernel)(...) ... }
//     #endif
#pragma once

// Better targets have lower bits: (HWY_AVX3 - 1) covers all x86 targets above HWY_AVX3, whichever exist in this version of Highway.
#define HWY_DISABLED_TARGETS ((HWY_AVX3 - 1) | HWY_SSE4 | HWY_SSSE3 | HWY_SVE | HWY_SVE_256 | HWY_SVE2 | HWY_SVE2_128 | HWY_RVV)

// RANKPOOL_JOBS_VECTORIZE precedes a plain loop whose iterations access disjoint memory.
#if defined(__clang__)
#define RANKPOOL_JOBS_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#else
#define RANKPOOL_JOBS_VECTORIZE _Pragma("GCC ivdep")
#endif

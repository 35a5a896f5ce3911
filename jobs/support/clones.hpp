// RANKPOOL_JOBS_CLONES marks a function for compilation once per kind of processor, the best being chosen when the program
// starts. RANKPOOL_JOBS_VECTORIZE stands before a loop whose iterations do not touch each other's memory.
//
// Clones: only where fma is not in the baseline (x86-64). Not under sanitizers, which cannot run code before they are set up;
// not by Clang, which (14) chooses the slowest: build with -march=x86-64-v3 there, or GMP does all the work.
#pragma once

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(__FMA__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RANKPOOL_JOBS_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define RANKPOOL_JOBS_CLONES
#endif

#if defined(__clang__)
#define RANKPOOL_JOBS_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#else
#define RANKPOOL_JOBS_VECTORIZE _Pragma("GCC ivdep")
#endif

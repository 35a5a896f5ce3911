// Marks a function for compilation once per kind of processor, the best being chosen when the program starts.
//
// Only where fma is not in the baseline (x86-64). Not under sanitizers: they cannot run code before they are set up.
#pragma once

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && !defined(__FMA__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RANKPOOL_JOBS_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define RANKPOOL_JOBS_CLONES
#endif

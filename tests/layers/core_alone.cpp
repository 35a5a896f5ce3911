// Links only the core. It must link without MPI, and must not load an MPI library.
#include <rankpool/errors.hpp>

#include <exception>

int main() { return rankpool::remote_context(std::exception_ptr()) == nullptr ? 0 : 1; }

// Uses the core and nothing else: it must link, and load no MPI.
#include <rankpool/errors.hpp>

#include <exception>

int main() { return rankpool::remote_context(std::exception_ptr()) == nullptr ? 0 : 1; }

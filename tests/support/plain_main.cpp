// The main function of tests that need neither ranks nor a pool.
#include "support/run_catch.hpp"

int main(int argc, char** argv) { return support::run_catch(argc, argv); }

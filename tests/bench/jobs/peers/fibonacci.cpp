// A Fibonacci number with mpz_fib_ui, printed in decimal.
#include <gmp.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  mpz_t value;
  mpz_init(value);
  mpz_fib_ui(value, std::strtoul(argv[1], nullptr, 10));
  std::printf("Fibonacci result: ");
  return mpz_out_str(stdout, 10, value) == 0 || std::putchar('\n') == EOF ? 1 : 0;
}

// mpz_fac_ui of each number on one core (factorials N...), or all digits of one factorial (factorials --digits FILE N).
#include <gmp.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  mpz_t value;
  mpz_init(value);
  if (argc == 4 && std::strcmp(argv[1], "--digits") == 0) {
    std::FILE* out = std::fopen(argv[2], "w");
    if (out == nullptr) return 1;
    mpz_fac_ui(value, std::strtoul(argv[3], nullptr, 10));
    return mpz_out_str(out, 10, value) == 0 || std::fputc('\n', out) == EOF || std::fclose(out) != 0 ? 1 : 0;
  }
  for (int i = 1; i < argc; ++i) {
    mpz_fac_ui(value, std::strtoul(argv[i], nullptr, 10));
    std::printf("%zu bits\n", mpz_sizeinbase(value, 2));
  }
}

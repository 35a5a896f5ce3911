// std_sort INPUT OUTPUT: sorts a raw file of int64 numbers on one core: reads all of it, calls std::sort, and writes it.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::FILE* const in = std::fopen(argv[1], "rb");
  if (in == nullptr || std::fseek(in, 0, SEEK_END) != 0) return 1;
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(std::ftell(in)) / sizeof(std::int64_t));
  std::rewind(in);
  if (std::fread(numbers.data(), sizeof numbers[0], numbers.size(), in) != numbers.size()) return 1;
  std::fclose(in);

  std::sort(numbers.begin(), numbers.end());

  std::FILE* const out = std::fopen(argv[2], "wb");
  if (out == nullptr || std::fwrite(numbers.data(), sizeof numbers[0], numbers.size(), out) != numbers.size()) return 1;
  return std::fclose(out) == 0 ? 0 : 1;
}

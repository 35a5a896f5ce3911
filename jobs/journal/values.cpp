// Registers the result types that `rankpool journal` can print, besides numbers, text and lists of these. Types with a serialize
// member have no text form. A job whose tasks return another pair, tuple, array, container or plain struct adds its type here.
#include <rankpool/register_result.hpp>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

using primes_of_segment = std::pair<std::uint64_t, std::uint64_t>;  // also the longest chain of collatz
using list_of_primes = std::pair<std::uint64_t, std::vector<std::uint8_t>>;
using matrix = std::vector<std::vector<std::int64_t>>;
using residues = std::array<std::uint64_t, 3>;  // residues of a range of factors of n!

RANKPOOL_REGISTER_RESULT(primes_of_segment)
RANKPOOL_REGISTER_RESULT(list_of_primes)
RANKPOOL_REGISTER_RESULT(matrix)
RANKPOOL_REGISTER_RESULT(residues)

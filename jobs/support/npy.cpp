#include "support/npy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

#include "support/usage_error.hpp"

namespace jobs {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t alignment = 64;
constexpr std::size_t longest_header = std::size_t{1} << 20;

struct known_type {
  element_type type;
  std::string_view name;
  std::string_view code;  // the type code in the header
  std::size_t size;
};
constexpr std::array known_types{
    known_type{element_type::int32, "int32", "<i4", 4},
    known_type{element_type::int64, "int64", "<i8", 8},
    known_type{element_type::float32, "float32", "<f4", 4},
    known_type{element_type::float64, "float64", "<f8", 8},
};

const known_type& of(element_type type) { return known_types[static_cast<std::size_t>(type)]; }

// Parses the line of the header: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
class header_line {
 public:
  explicit header_line(std::string_view text) : rest_(text) {}

  void read(npy_header& header, std::string& type_code) {
    bool typed = false;
    bool ordered = false;
    bool shaped = false;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr") {
        type_code = peek() == '\'' || peek() == '"' ? std::string(quoted()) : "a type of several fields";
        if (type_code.starts_with("a ")) return;
        typed = true;
      } else if (key == "fortran_order") {
        header.fortran_order = truth();
        ordered = true;
      } else if (key == "shape") {
        header.shape = tuple();
        shaped = true;
      } else {
        throw std::invalid_argument("its header has an entry '" + std::string(key) + "'");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    if (!typed || !ordered || !shaped) throw std::invalid_argument("its header lacks type, order or shape");
  }

 private:
  char peek() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) throw std::invalid_argument("its header is damaged");
  }
  std::string_view quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') throw std::invalid_argument("its header is damaged");
    const std::size_t end = rest_.find(quote, 1);
    if (end == rest_.npos) throw std::invalid_argument("its header is damaged");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool truth() {
    (void)peek();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    throw std::invalid_argument("its header is damaged");
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> numbers;
    expect('(');
    while (!take(')')) {
      (void)peek();
      std::uint64_t n = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
      if (error != std::errc()) throw std::invalid_argument("its header is damaged");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      (void)take('L');  // Python 2 wrote 3L for 3
      numbers.push_back(n);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }

  std::string_view rest_;
};

// Returns the number of elements; empty if their size in bytes exceeds 64 bits.
std::optional<std::uint64_t> product(const std::vector<std::uint64_t>& shape, std::uint64_t size) {
  unsigned __int128 n = size;
  for (const std::uint64_t extent : shape) {
    if (extent == 0) return 0;
    n *= extent;
    if (n > UINT64_MAX / 2) return std::nullopt;
  }
  return static_cast<std::uint64_t>(n) / size;
}

npy_header parse(const file& from) {
  const std::uint64_t size = from.size();
  std::array<unsigned char, 12> start{};
  const std::size_t at_start = std::min<std::uint64_t>(start.size(), size);
  from.read_items(std::span(start).first(at_start), 0);
  if (at_start < 10 || !std::equal(magic.begin(), magic.end(), start.begin(),
                                   [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; })) {
    throw std::invalid_argument("it is not a .npy file");
  }
  const int version = start[6];
  if (version < 1 || version > 3)
    throw std::invalid_argument("its format version " + std::to_string(version) + " is not supported");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8 | start[8 + i];
  const std::uint64_t text_at = 8 + length_bytes;
  if (length > longest_header || text_at + length > size) throw std::invalid_argument("its header is damaged");
  std::string text(length, '\0');
  from.read_items(std::span(text), text_at);

  npy_header header;
  std::string code;
  header_line(text).read(header, code);
  const auto known = std::find_if(known_types.begin(), known_types.end(), [&](const known_type& k) { return k.code == code; });
  if (known == known_types.end()) {
    throw std::invalid_argument("its type " + code + " is not little-endian int32, int64, float32 or float64 (<i4, <i8, <f4, <f8)");
  }
  header.type = known->type;
  header.data_offset = text_at + length;
  const auto count = product(header.shape, known->size);
  if (!count) throw std::invalid_argument("its shape is larger than any file");
  const std::uint64_t expected = header.data_offset + header.bytes();
  if (size != expected) {
    throw std::invalid_argument("it has " + std::to_string(size) + " bytes, but " + describe(header) + " requires " +
                                std::to_string(expected));
  }
  return header;
}

}  // namespace

std::size_t size_of(element_type type) { return of(type).size; }
std::string_view name_of(element_type type) { return of(type).name; }

std::uint64_t npy_header::count() const { return product(shape, size_of(type)).value_or(0); }

npy_header read_npy_header(const file& from) {
  try {
    return parse(from);
  } catch (const std::invalid_argument& error) {
    throw usage_error(from.path() + " cannot be used: " + error.what());
  } catch (const file_error& error) {
    throw usage_error(error.what());
  }
}

npy_header read_npy_header(const std::string& path) {
  try {
    return read_npy_header(file(path));
  } catch (const file_error& error) {
    throw usage_error(error.what());
  }
}

std::string npy_preamble(npy_header& header) {
  std::string shape = "(";
  for (const std::uint64_t extent : header.shape) shape += std::to_string(extent) + ", ";
  if (header.shape.size() > 1) shape.resize(shape.size() - 2);
  if (header.shape.size() == 1) shape.pop_back();
  std::string text = "{'descr': '" + std::string(of(header.type).code) +
                     "', 'fortran_order': " + (header.fortran_order ? "True" : "False") + ", 'shape': " + shape + "), }";
  constexpr std::size_t before = 10;  // bytes before the line, in version 1.0, whose 64 KiB are enough for every shape
  text.resize((before + text.size() + 1 + alignment - 1) / alignment * alignment - before - 1, ' ');
  text += '\n';
  std::string preamble(magic);
  preamble += '\x01';
  preamble += '\0';
  preamble += static_cast<char>(text.size() & 0xff);
  preamble += static_cast<char>(text.size() >> 8);
  preamble += text;
  header.data_offset = preamble.size();
  return preamble;
}

std::string describe(const npy_header& header) {
  std::string text(name_of(header.type));
  const char* separator = ", ";
  for (const std::uint64_t extent : header.shape) text += std::exchange(separator, " x ") + std::to_string(extent);
  return text;
}

}  // namespace jobs

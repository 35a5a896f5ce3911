// Tests numpy's format: written headers are read back, and errors name what is wrong with a file.
#include "support/npy.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include "support/catch.hpp"
#include "support/usage_error.hpp"

namespace {

using namespace jobs;

/// A temporary file with these bytes.
class given_file {
 public:
  explicit given_file(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  ~given_file() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / ("rankpool-npy-" + std::to_string(getpid()))).string();
};

std::string with_header(const std::string& text, std::size_t data_bytes, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>(text.size() >> 8 * i & 0xff);
  return bytes + text + std::string(data_bytes, '\0');
}

std::string refusal(const std::string& bytes) {
  const given_file file(bytes);
  try {
    (void)read_npy_header(file.path());
  } catch (const usage_error& error) {
    return error.what();
  }
  return "nothing";
}

npy_header header_of(const std::string& bytes) { return read_npy_header(given_file(bytes).path()); }

}  // namespace

TEST_CASE("a .npy header is read as it was written, and its data begin at a multiple of 64 bytes") {
  for (const auto type : {element_type::int32, element_type::int64, element_type::float32, element_type::float64}) {
    for (const std::vector<std::uint64_t>& shape : {std::vector<std::uint64_t>{}, {0}, {7}, {3, 4}, {2, 0}, {1, 2, 3}}) {
      npy_header written{.type = type, .fortran_order = shape.size() == 2, .shape = shape};
      const std::string preamble = npy_preamble(written);
      CHECK(preamble.size() % 64 == 0);
      const npy_header read = header_of(preamble + std::string(written.bytes(), 'x'));
      CHECK(read.type == written.type);
      CHECK(read.fortran_order == written.fortran_order);
      CHECK(read.shape == written.shape);
      CHECK(read.data_offset == preamble.size());
    }
  }
}

TEST_CASE("headers of every numpy version are read") {
  const std::string spaced = "{ \"shape\" : ( 2L , 3L ) , 'fortran_order':True,'descr':'<f4' }\n";
  for (const char version : {'\1', '\2', '\3'}) {
    const npy_header header = header_of(with_header(spaced, 24, version));
    CHECK(header.shape == std::vector<std::uint64_t>{2, 3});
    CHECK(header.fortran_order);
    CHECK(header.type == element_type::float32);
  }
}

TEST_CASE("an unsupported file is refused with its name and the reason") {
  const auto header = [](const std::string& code) {
    return "{'descr': '" + code + "', 'fortran_order': False, 'shape': (2,), }\n";
  };
  CHECK_THAT(refusal(""), support::containing("is not a .npy file"));
  CHECK_THAT(refusal("1,2,3\n4,5,6\n"), support::containing("is not a .npy file"));
  CHECK_THAT(refusal(with_header(header(">f8"), 16)), support::containing("its type >f8 is not"));
  CHECK_THAT(refusal(with_header(header("|b1"), 2)), support::containing("its type |b1 is not"));
  CHECK_THAT(refusal(with_header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", 16)),
             support::containing("several fields"));
  CHECK_THAT(refusal(with_header(header("<f8"), 16, 9)), support::containing("version 9"));
  CHECK_THAT(refusal(with_header("{'descr': '<f8', 'fortran_order': Fal", 16)), support::containing("damaged"));
  CHECK_THAT(refusal(with_header("{'descr': '<f8'}", 16)), support::containing("lacks"));
  CHECK_THAT(refusal(with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 16)),
             support::containing("larger than any file"));
  CHECK_THAT(refusal(with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", 16)),
             support::containing("damaged"));
}

TEST_CASE("a file whose size differs from its shape is refused with both sizes") {
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (5, 2), }\n";
  const auto before = static_cast<long>(10 + header.size());
  CHECK_THAT(refusal(with_header(header, 39)), support::containing("has " + std::to_string(before + 39) + " bytes"));
  CHECK_THAT(refusal(with_header(header, 41)), support::containing("requires " + std::to_string(before + 40)));
  CHECK(refusal(with_header(header, 40)) == "nothing");
}

TEST_CASE("a missing file is named") {
  try {
    (void)read_npy_header("/no/such/file.npy");
    FAIL("it was read");
  } catch (const usage_error& error) {
    CHECK_THAT(error.what(), support::containing("/no/such/file.npy"));
  }
}

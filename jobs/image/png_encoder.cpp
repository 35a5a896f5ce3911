// Encodes PNG by strips: the rows of a strip are filtered and compressed into one IDAT chunk.
//
// libpng can only write a picture from its first row to its last. Strips are encoded in any order, so this file writes the chunks
// itself, with zlib. The first row of a strip uses only the left-neighbour filter, because the row above is in another strip.
#include <zlib.h>

#include <array>
#include <bit>
#include <stdexcept>
#include <string_view>

#include "image/picture_encoder.hpp"
#include "image/png_filters.hpp"

namespace jobs::png {
namespace {

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";

void put_32(std::string& to, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) to += static_cast<char>(value >> shift & 0xff);
}

std::string chunk(std::string_view type, std::string_view data) {
  std::string text;
  text.reserve(data.size() + 12);
  put_32(text, static_cast<std::uint32_t>(data.size()));
  text += type;
  text += data;
  const auto* const covered = reinterpret_cast<const Bytef*>(text.data()) + 4;
  put_32(text, static_cast<std::uint32_t>(::crc32_z(0, covered, data.size() + 4)));
  return text;
}

/// Filters the rows of a strip for PNG: most significant byte first, with the filter's number before each row.
class row_filter {
 public:
  row_filter(const picture_layout& layout)
      : bytes_(layout.row_bytes()),
        apart_(layout.channels * layout.bits / 8),
        wide_(layout.bits == 16),
        at_(apart_ + bytes_),
        up_(apart_ + bytes_) {
    for (auto& row : filtered_) row.resize(bytes_);
  }

  void append(const std::uint8_t* row, std::string& to) {
    std::swap(at_, up_);
    std::uint8_t* const at = at_.data() + apart_;
    std::copy(row, row + bytes_, at);
    if (wide_ && std::endian::native == std::endian::little) {
      for (std::size_t i = 0; i < bytes_; i += 2) std::swap(at[i], at[i + 1]);
    }
    std::array<std::uint8_t*, filters> out{};
    for (std::size_t f = 1; f < filters; ++f) out[f] = filtered_[f].data();
    filter_row(at, up_.data() + apart_, apart_, bytes_, out);
    out[0] = at;
    std::size_t best = 0;
    std::uint64_t least = filter_cost(at, bytes_);
    for (std::size_t f = 1; f < (is_first_ ? 2 : filters); ++f) {
      const std::uint64_t found = filter_cost(out[f], bytes_);
      if (found < least) {
        least = found;
        best = f;
      }
    }
    to += static_cast<char>(best);
    to.append(reinterpret_cast<const char*>(out[best]), bytes_);
    is_first_ = false;
  }

 private:
  std::size_t bytes_, apart_;
  bool wide_;
  bool is_first_ = true;
  std::vector<std::uint8_t> at_, up_;
  std::array<std::vector<std::uint8_t>, filters> filtered_;
};

/// Returns one segment of a deflate stream. It ends at a byte boundary and, unless it is the last, further segments can follow.
std::string deflated(std::string& raw, int level, bool is_last) {
  z_stream stream{};
  if (::deflateInit2(&stream, level, Z_DEFLATED, -15, 9, Z_FILTERED) != Z_OK) throw std::bad_alloc();
  std::string out(::deflateBound(&stream, raw.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(raw.data());
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = ::deflate(&stream, is_last ? Z_FINISH : Z_SYNC_FLUSH);
  out.resize(stream.total_out);
  const bool whole = stream.avail_in == 0 && result == (is_last ? Z_STREAM_END : Z_OK);
  ::deflateEnd(&stream);
  if (!whole) throw std::logic_error("zlib did not compress a strip whole");
  return out;
}

/// Calls visit(type, whole chunk) for each PNG chunk in `chunks`.
template <class Visit>
void for_each_chunk(std::string_view chunks, Visit visit) {
  while (chunks.size() >= 12) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < 4; ++i) bytes = bytes << 8 | static_cast<unsigned char>(chunks[i]);
    visit(chunks.substr(4, 4), chunks.substr(0, bytes + 12));
    chunks.remove_prefix(std::min(bytes + 12, chunks.size()));
  }
}

}  // namespace

std::string start(const picture_layout& layout, const std::string& metadata) {
  constexpr std::array<char, 5> color_types{0, 0, 4, 2, 6};  // indexed by the number of channels
  std::string header;
  put_32(header, layout.width);
  put_32(header, layout.height);
  header += {static_cast<char>(layout.bits), color_types[layout.channels], 0, 0, 0};
  return std::string(signature) + chunk("IHDR", header) + metadata;
}

encoded_strip encode(int compression, const strip_rows& strip, const std::uint8_t* samples) {
  const std::size_t row_bytes = strip.layout.row_bytes();
  // A chunk has at most 2^31 - 1 bytes, and deflate makes incompressible data slightly larger.
  if ((row_bytes + 1) * strip.rows > 2'000'000'000)
    throw std::length_error("is too wide for a PNG in strips of " + std::to_string(strip.rows) + " rows; choose PNM");
  row_filter filter(strip.layout);
  std::string raw;
  raw.reserve((row_bytes + 1) * strip.rows);
  for (std::uint32_t y = 0; y < strip.rows; ++y) filter.append(samples + y * row_bytes, raw);
  encoded_strip result;
  result.raw_bytes = raw.size();
  result.checksum = static_cast<std::uint32_t>(::adler32_z(1, reinterpret_cast<const Bytef*>(raw.data()), raw.size()));
  std::string data = deflated(raw, compression, strip.is_last());
  if (strip.first == 0) data.insert(0, "\x78\x9c");
  result.bytes = chunk("IDAT", data);
  return result;
}

std::uint32_t join_checksums(std::uint32_t before, const encoded_strip& strip) {
  return static_cast<std::uint32_t>(::adler32_combine(before, strip.checksum, static_cast<z_off_t>(strip.raw_bytes)));
}

std::string end(std::uint32_t checksum) {
  std::string data;
  put_32(data, checksum);
  return chunk("IDAT", data) + chunk("IEND", {});
}

std::string without_profile(const std::string& metadata) {
  std::string kept;
  for_each_chunk(metadata, [&](std::string_view type, std::string_view all) {
    if (type != "iCCP") kept += all;
  });
  return kept;
}

}  // namespace jobs::png

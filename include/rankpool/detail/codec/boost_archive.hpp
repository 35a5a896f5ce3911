// Encodes a value as one Boost binary archive inside a byte_buffer.
//
// codec.hpp uses this for every type that it does not encode itself. The archive has a length prefix, so that the values after one
// that cannot be decoded are not lost.
#pragma once

#include <rankpool/detail/codec/boxed_if_large.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/serialization.hpp>

#include <boost/serialization/detail/stack_constructor.hpp>

#include <streambuf>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

/// A stream buffer that writes to a byte_writer.
class writer_streambuf final : public std::streambuf {
 public:
  explicit writer_streambuf(byte_writer& out) : out_(out) {}

 protected:
  std::streamsize xsputn(const char* s, std::streamsize n) override {
    out_.raw(s, static_cast<std::size_t>(n));
    return n;
  }
  int_type overflow(int_type c) override {
    if (c != traits_type::eof()) out_.put(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

 private:
  byte_writer& out_;
};

/// A stream buffer that reads the bytes of a byte_reader.
class reader_streambuf final : public std::streambuf {
 public:
  explicit reader_streambuf(byte_reader bytes) {
    const std::size_t n = bytes.remaining();
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.take(n)));  // a get area is never written to
    setg(begin, begin, begin + n);
  }
};

constexpr unsigned archive_flags = boost::archive::no_header | boost::archive::no_codecvt;

/// A helper of an output archive: the writer that receives its bytes, or null. The archive writes without a buffer of its own.
struct archive_target {
  byte_writer* out = nullptr;
  static archive_target& of(boost::archive::binary_oarchive& archive) {
    static char key;
    return archive.get_helper<archive_target>(&key);
  }
};

/// Writes a value as an archive.
template <class T>
void boost_save(byte_writer& out, const T& value) {
  const std::size_t length = out.hole<std::uint64_t>();
  const std::size_t begin = out.size();
  {
    writer_streambuf buffer(out);
    boost::archive::binary_oarchive archive(buffer, archive_flags);
    if (out.collects_references()) archive_target::of(archive).out = &out;
    // Writes the data that the type's own load_construct_data reads, if it has one. See boost_load().
    if constexpr (!std::is_default_constructible_v<T>) boost::serialization::save_construct_data_adl(archive, &value, 0);
    archive << value;
  }
  out.patch<std::uint64_t>(length, out.size() - begin);
}

/// Reads an archive into an existing object.
template <class T>
void boost_load(byte_reader& in, T& value) {
  reader_streambuf buffer(in.sub(in.get_count(1)));
  boost::archive::binary_iarchive archive(buffer, archive_flags);
  archive >> value;
}

/// Reads an archive and returns the value.
template <class T>
  requires std::is_default_constructible_v<T> T boost_load(byte_reader& in) {
    T value{};
    boost_load(in, value);
    return value;
  }

template <class T>
T boost_load(byte_reader& in) {  // uses a private default constructor or load_construct_data
  reader_streambuf buffer(in.sub(in.get_count(1)));
  boost::archive::binary_iarchive archive(buffer, archive_flags);
  boxed_if_large<boost::serialization::detail::stack_construct<boost::archive::binary_iarchive, T>> storage(
      [&] { return boost::serialization::detail::stack_construct<boost::archive::binary_iarchive, T>(archive, 0); });
  archive >> (*storage).reference();
  return std::move((*storage).reference());
}

}  // namespace rankpool::detail

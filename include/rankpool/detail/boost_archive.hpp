// A value as the bytes of one Boost binary archive inside a byte_buffer.
//
// The way for every type that codec.hpp does not know by itself. The archive is length-prefixed, so that a
// value which cannot be read is skipped without losing those after it.
#pragma once

#include <rankpool/detail/bytes.hpp>
#include <rankpool/serialization.hpp>

#include <boost/serialization/detail/stack_constructor.hpp>

#include <streambuf>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

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

class reader_streambuf final : public std::streambuf {
 public:
  explicit reader_streambuf(byte_reader bytes) {
    const std::size_t n = bytes.remaining();
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.take(n)));  // streambuf's get area is never written to
    setg(begin, begin, begin + n);
  }
};

constexpr unsigned archive_flags = boost::archive::no_header | boost::archive::no_codecvt;

template <class T>
void boost_save(byte_writer& out, const T& value) {
  const std::size_t length = out.hole<std::uint64_t>();
  const std::size_t begin = out.size();
  {
    writer_streambuf buffer(out);
    boost::archive::binary_oarchive archive(buffer, archive_flags);
    // What the type's own load_construct_data reads, where it has any: see boost_load.
    if constexpr (!std::is_default_constructible_v<T>) boost::serialization::save_construct_data_adl(archive, &value, 0);
    archive << value;
  }
  out.patch<std::uint64_t>(length, out.size() - begin);
}

template <class T>
T boost_load(byte_reader& in) {
  reader_streambuf buffer(in.sub(in.get_count(1)));
  boost::archive::binary_iarchive archive(buffer, archive_flags);
  if constexpr (std::is_default_constructible_v<T>) {
    T value{};
    archive >> value;
    return value;
  } else {  // a private default constructor, or Boost's load_construct_data
    boost::serialization::detail::stack_construct<boost::archive::binary_iarchive, T> storage(archive, 0);
    archive >> storage.reference();
    return std::move(storage.reference());
  }
}

}  // namespace rankpool::detail

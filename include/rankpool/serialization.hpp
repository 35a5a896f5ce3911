// What Boost.Serialization lacks: std::optional, std::variant, std::tuple, std::chrono, std::filesystem::path, mpz_class.
//
// With these, and Boost's own headers for the standard containers and smart pointers, a user's
// `serialize` member may archive any of them with `ar & member`. A number travels as its limbs, never as text.
#pragma once

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/array.hpp>
#include <boost/serialization/bitset.hpp>
#include <boost/serialization/complex.hpp>
#include <boost/serialization/deque.hpp>
#include <boost/serialization/forward_list.hpp>
#include <boost/serialization/list.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/serialization.hpp>
#include <boost/serialization/set.hpp>
#include <boost/serialization/shared_ptr.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/unique_ptr.hpp>
#include <boost/serialization/unordered_map.hpp>
#include <boost/serialization/unordered_set.hpp>
#include <boost/serialization/utility.hpp>
#include <boost/serialization/vector.hpp>
#if __has_include(<boost/serialization/std_variant.hpp>)  // a Boost that has learnt both since
#include <boost/serialization/optional.hpp>
#include <boost/serialization/std_variant.hpp>
#define RANKPOOL_BOOST_HAS_VARIANT 1
#endif

#include <gmpxx.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

namespace boost::serialization {

// One function for both ways: split_free would look for save and load among Boost's own overloads as well, and
// those for smart pointers fit every template of one parameter.

template <class Archive>
void serialize(Archive& ar, mpz_class& number, unsigned) {
  auto* z = number.get_mpz_t();
  std::int64_t limbs = static_cast<std::int64_t>(mpz_size(z)) * mpz_sgn(z);
  ar & limbs;
  if constexpr (Archive::is_saving::value) {
    ar.save_binary(mpz_limbs_read(z), mpz_size(z) * sizeof(mp_limb_t));
  } else {
    const auto n = static_cast<std::size_t>(limbs < 0 ? -limbs : limbs);
    if (n > (std::size_t{1} << 40)) throw std::length_error("mpz_class: impossible number of limbs");
    if (n > 0) ar.load_binary(mpz_limbs_write(z, static_cast<mp_size_t>(n)), n * sizeof(mp_limb_t));
    mpz_limbs_finish(z, static_cast<mp_size_t>(limbs));
  }
}

template <class Archive, class Rep, class Period>
void serialize(Archive& ar, std::chrono::duration<Rep, Period>& d, unsigned) {
  Rep count = d.count();
  ar & count;
  d = std::chrono::duration<Rep, Period>(count);
}

template <class Archive, class Clock, class Duration>
void serialize(Archive& ar, std::chrono::time_point<Clock, Duration>& t, unsigned) {
  Duration since_epoch = t.time_since_epoch();
  ar & since_epoch;
  t = std::chrono::time_point<Clock, Duration>(since_epoch);
}

template <class Archive>
void serialize(Archive& ar, std::filesystem::path& path, unsigned) {
  std::string text = path.string();
  ar & text;
  path = text;
}

template <class Archive, class... Types>
void serialize(Archive& ar, std::tuple<Types...>& t, unsigned) {
  std::apply([&](auto&... element) { ((ar & element), ...); }, t);
}

#ifndef RANKPOOL_BOOST_HAS_VARIANT

template <class Archive>
void serialize(Archive&, std::monostate&, unsigned) {}

template <class Archive, class T>
void serialize(Archive& ar, std::optional<T>& value, unsigned) {
  bool engaged = value.has_value();
  ar & engaged;
  if constexpr (Archive::is_loading::value) {
    value.reset();
    if (engaged) value.emplace();
  }
  if (engaged) ar & *value;
}

template <class Archive, class... Types>
void serialize(Archive& ar, std::variant<Types...>& value, unsigned) {
  auto which = static_cast<std::uint32_t>(value.index());
  ar & which;
  if constexpr (Archive::is_loading::value) {
    const bool known = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((which == I && (value.template emplace<I>(), true)) || ...);
    }(std::index_sequence_for<Types...>{});
    if (!known) throw std::out_of_range("std::variant: no alternative of that index");
  }
  std::visit([&](auto& held) { ar & held; }, value);
}

#endif

}  // namespace boost::serialization

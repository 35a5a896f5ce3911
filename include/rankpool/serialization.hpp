// Boost.Serialization for std::optional, std::variant, std::tuple, std::chrono, std::filesystem::path and mpz_class; and for
// std::complex, for which a program may also include <boost/serialization/complex.hpp>.
//
// This header also includes Boost's headers for standard containers and smart pointers. A `serialize` member of the program can
// archive all these types with `ar & member`.
#pragma once

#include <rankpool/detail/codec/foreign_types.hpp>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/array.hpp>
#include <boost/serialization/bitset.hpp>
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
#if __has_include(<boost/serialization/std_variant.hpp>)  // newer versions of Boost support both
#include <boost/serialization/optional.hpp>
#include <boost/serialization/std_variant.hpp>
#define RANKPOOL_BOOST_HAS_VARIANT 1
#endif

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

namespace boost::serialization {

// Each type has one function for saving and loading. split_free would also find Boost's own overloads of save and load, and those
// for smart pointers match every template with one parameter.

/// Saves or loads an integer as its limbs, which are the words of its binary form.
/// Throws: std::length_error if the archive contains an impossible length.
template <class Archive, rankpool::detail::gmp_integer T>
void serialize(Archive& ar, T& number, unsigned) {
  auto* z = number.get_mpz_t();
  std::int64_t limbs = static_cast<std::int64_t>(mpz_size(z)) * mpz_sgn(z);
  ar& limbs;
  if constexpr (Archive::is_saving::value) {
    ar.save_binary(mpz_limbs_read(z), mpz_size(z) * sizeof(mp_limb_t));
  } else {
    const auto n = static_cast<std::size_t>(limbs < 0 ? -limbs : limbs);
    if (n > (std::size_t{1} << 40)) throw std::length_error("mpz_class: impossible number of limbs");
    if (n > 0) ar.load_binary(mpz_limbs_write(z, static_cast<mp_size_t>(n)), n * sizeof(mp_limb_t));
    mpz_limbs_finish(z, static_cast<mp_size_t>(limbs));
  }
}

// The same bytes and traits as Boost's own, so that it makes no difference which source files include Boost's header.
template <class Archive, class T>
  requires rankpool::detail::is_complex_number<T>
void serialize(Archive& ar, T& number, unsigned) {
  typename T::value_type parts[2] = {number.real(), number.imag()};
  ar & parts[0];
  ar & parts[1];
  number = T(parts[0], parts[1]);
}

template <class T>
  requires rankpool::detail::is_complex_number<T>
struct is_bitwise_serializable<T> : is_bitwise_serializable<typename T::value_type> {
};
template <class T>
  requires rankpool::detail::is_complex_number<T>
struct implementation_level<T> : mpl::int_<object_serializable> {
};
template <class T>
  requires rankpool::detail::is_complex_number<T>
struct tracking_level<T> : mpl::int_<track_never> {
};

/// Saves or loads a duration as its number of ticks.
template <class Archive, class Rep, class Period>
void serialize(Archive& ar, std::chrono::duration<Rep, Period>& d, unsigned) {
  Rep count = d.count();
  ar& count;
  d = std::chrono::duration<Rep, Period>(count);
}

/// Saves or loads a time point as the duration since the epoch of its clock.
template <class Archive, class Clock, class Duration>
void serialize(Archive& ar, std::chrono::time_point<Clock, Duration>& t, unsigned) {
  Duration since_epoch = t.time_since_epoch();
  ar& since_epoch;
  t = std::chrono::time_point<Clock, Duration>(since_epoch);
}

/// Saves or loads a path as text.
template <class Archive, rankpool::detail::file_path T>
void serialize(Archive& ar, T& path, unsigned) {
  std::string text = path.string();
  ar& text;
  path = text;
}

/// Saves or loads the elements of a tuple, in their order.
template <class Archive, class... Types>
void serialize(Archive& ar, std::tuple<Types...>& t, unsigned) {
  std::apply([&](auto&... element) { ((ar & element), ...); }, t);
}

#ifndef RANKPOOL_BOOST_HAS_VARIANT

/// Does nothing: std::monostate has no data.
template <class Archive>
void serialize(Archive&, std::monostate&, unsigned) {}

/// Saves or loads a flag and, if it is set, the value. T must be default constructible.
template <class Archive, class T>
void serialize(Archive& ar, std::optional<T>& value, unsigned) {
  bool engaged = value.has_value();
  ar& engaged;
  if constexpr (Archive::is_loading::value) {
    value.reset();
    if (engaged) value.emplace();
  }
  if (engaged) ar&* value;
}

/// Saves or loads the index and the value of a variant. Its alternatives must be default constructible.
/// Throws: std::out_of_range if the archive contains an unknown index.
template <class Archive, class... Types>
void serialize(Archive& ar, std::variant<Types...>& value, unsigned) {
  auto which = static_cast<std::uint32_t>(value.index());
  ar& which;
  if constexpr (Archive::is_loading::value) {
    const bool known = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((which == I && (value.template emplace<I>(), true)) || ...);
    }
    (std::index_sequence_for<Types...>{});
    if (!known) throw std::out_of_range("std::variant: no alternative of that index");
  }
  std::visit([&](auto& held) { ar& held; }, value);
}

#endif

}  // namespace boost::serialization

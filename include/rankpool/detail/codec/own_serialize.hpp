// Detects whether a class defines its own serialization for Boost.Serialization, which takes precedence over rankpool's codec.
#pragma once

#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/is_bitwise_serializable.hpp>
#include <boost/serialization/level.hpp>
#include <boost/serialization/serialization.hpp>

#include <concepts>
#include <type_traits>

namespace rankpool::detail {

namespace serialize_probe {

// Boost's default is `template <class Archive, class T> void serialize(Archive&, T&, const unsigned int)`. The probe has the same
// parameters and a constraint, so overload resolution prefers it to the default. Any other free serialize that Boost would prefer
// to the default is better than the probe or ambiguous with it. It may be a template, and in the class's namespace or in Boost's.
template <class T>
concept anything = true;
struct boost_default {};
template <class Archive, anything T>
boost_default serialize(Archive&, T&, const unsigned int);

/// An argument type for which argument-dependent lookup finds both the probe and the functions in Boost's namespace.
struct version : boost::serialization::version_type {};

template <class T>
concept uses_boost_default = requires(boost::archive::binary_oarchive& archive, T& value, version v) {
  { serialize(archive, value, v) } -> std::same_as<boost_default>;
};

}  // namespace serialize_probe

/// Whether a free function `serialize` exists for T.
template <class T>
concept has_free_serialize = !serialize_probe::uses_boost_default<T>;

struct member_named_serialize {
  int serialize;
};
template <class T>
struct two_members_named_serialize : T, member_named_serialize {};

template <class T>
concept calls_member_serialize = requires(T& value, boost::archive::binary_oarchive& archive, unsigned version) {
  value.serialize(archive, version);
};

/// Returns whether T has a member `serialize` that Boost can call, also a private one if T is not final. A public member of that
/// name with other parameters does not count.
template <class T>
consteval bool has_member_serialize() {
  if constexpr (!std::is_class_v<T>) {
    return false;
  } else if constexpr (calls_member_serialize<T>) {
    return true;
  } else if constexpr (std::is_final_v<T>) {
    return false;
  } else if constexpr (requires { &two_members_named_serialize<T>::serialize; }) {
    return false;  // the name is unambiguous, so T has no such member
  } else {
    return !requires { &T::serialize; };
  }
}

/// Returns whether Boost sends T as a whole: as bytes, or through T's own functions.
template <class T>
consteval bool has_own_serialize() {
  if constexpr (boost::serialization::is_bitwise_serializable<T>::value) {
    return true;
  } else if constexpr (boost::serialization::implementation_level<T>::value == boost::serialization::primitive_type) {
    return true;
  } else {
    return has_member_serialize<T>() || has_free_serialize<T>;
  }
}

}  // namespace rankpool::detail

// Encodes and decodes error codes, and creates stand-ins for categories that this process does not have.
#include "codec/error_code_codec.hpp"

#include <rankpool/detail/wire/code_address.hpp>

#include <cstring>
#include <future>
#include <ios>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace rankpool::detail {
namespace {

/// A category with the name and messages of one that does not exist in this process.
class stand_in_category final : public std::error_category {
 public:
  explicit stand_in_category(std::string name) : name_(std::move(name)) {}

  const char* name() const noexcept override { return name_.c_str(); }

  std::string message(int value) const override {
    std::lock_guard lock(mutex_);
    const auto known = messages_.find(value);
    return known != messages_.end() ? known->second : "error " + std::to_string(value) + " of category " + name_;
  }

  void add_message(int value, std::string message) {
    std::lock_guard lock(mutex_);
    messages_.try_emplace(value, std::move(message));
  }

 private:
  const std::string name_;
  mutable std::mutex mutex_;
  std::map<int, std::string> messages_;
};

/// Returns the stand-in with that name, and creates it if it does not exist. Lifetime: that of the process, as of every category.
stand_in_category& stand_in(const std::string& name) {
  static std::mutex mutex;
  static auto& all = *new std::map<std::string, stand_in_category>;  // never destroyed: error codes may outlive statics
  std::lock_guard lock(mutex);
  return all.try_emplace(name, name).first->second;
}

const std::error_category* standard_category(const std::string& name) {
  for (const std::error_category* known :
       {&std::generic_category(), &std::system_category(), &std::iostream_category(), &std::future_category()}) {
    if (name == known->name()) return known;
  }
  return nullptr;
}

/// Returns the first word of an object with virtual functions, which identifies its type. Null before the object is constructed.
const void* vtable_pointer(const void* object) {
  const void* vtable = nullptr;
  std::memcpy(&vtable, object, sizeof vtable);
  return vtable;
}

/// The addresses of a category and of its vtable within the build; {} for an object outside every module.
struct category_place {
  code_address object;
  code_address type;
};

/// Returns the category at an address; null if there is no object of that type.
const std::error_category* category_at(const category_place& place) {
  if (place.object.module == 0) return nullptr;
  const void* object = find_object(place.object, sizeof(std::error_category));
  const void* type = find_object(place.type, sizeof(void*));
  if (object == nullptr || type == nullptr || vtable_pointer(object) != type) return nullptr;
  return static_cast<const std::error_category*>(object);
}

}  // namespace

void encode_error_code(byte_writer& out, const std::error_code& code) {
  const std::error_category& category = code.category();
  const bool is_standard = standard_category(category.name()) == &category;
  out.put<std::int32_t>(code.value());
  out.put_string(category.name());
  out.put<std::uint8_t>(is_standard);
  if (is_standard) return;
  out.put_string(code.message());
  out.put(category_place{locate_object(&category), locate_object(vtable_pointer(&category))});
}

std::error_code decode_error_code(byte_reader& in) {
  const int value = in.get<std::int32_t>();
  const std::string name = in.get_string();
  if (in.get<std::uint8_t>() != 0) {
    const std::error_category* known = standard_category(name);
    if (known == nullptr) throw serialization_error("received an error code of the unknown standard category '" + name + "'");
    return {value, *known};
  }
  std::string message = in.get_string();
  const auto place = in.get<category_place>();
  if (const std::error_category* own = category_at(place)) return {value, *own};
  stand_in_category& category = stand_in(name);
  category.add_message(value, std::move(message));
  return {value, category};
}

}  // namespace rankpool::detail

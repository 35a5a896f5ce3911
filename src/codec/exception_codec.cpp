// The registry of exception types, and the encoding of an exception. An encoding consists of:
// - 1 if the type is in the registry, otherwise 0
// - the type's name, the message and the trace
// - 1 and the encoding of the nested exception, or 0
// - the length and the bytes of what the type's own encoder writes; length 0 if the type is not in the registry
#include <rankpool/detail/codec/exception_codec.hpp>

#include "codec/error_code_codec.hpp"
#include "codec/runner_errors.hpp"
#include "codec/throw_trace.hpp"
#include "support/demangle.hpp"
#include "support/single_copy.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <any>
#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <regex>
#include <system_error>
#include <variant>
#include <vector>

namespace rankpool::detail {
namespace {

// ---- the registry

class exception_registry {
 public:
  void add(const exception_type& type) {
    std::lock_guard lock(mutex_);
    types_[demangle(type.type->name())].push_back(type);
  }

  void remove(const exception_type& type) {
    std::lock_guard lock(mutex_);
    const auto found = types_.find(demangle(type.type->name()));
    if (found == types_.end()) return;
    auto& all = found->second;
    const auto same = std::find_if(all.rbegin(), all.rend(), [&](const exception_type& t) { return t.decode == type.decode; });
    if (same != all.rend()) all.erase(std::next(same).base());
    if (all.empty()) types_.erase(found);
  }

  std::optional<exception_type> find(const std::string& name) const {
    std::lock_guard lock(mutex_);
    const auto found = types_.find(name);
    return found == types_.end() ? std::nullopt : std::optional(found->second.back());
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<exception_type>> types_;  // no vector is empty
};

exception_registry& registry();

// ---- standard types: the data of each type except its message, which make_remote() keeps

template <class E>
exception_type standard(void (*encode)(byte_writer&), E (*rebuild)(byte_reader&, const std::string&)) {
  // Each type has its own instance of `build`. The decoder below is a plain function, so it cannot capture `rebuild`.
  static E (*build)(byte_reader&, const std::string&) = nullptr;
  build = rebuild;
  return {&typeid(E), encode, [](byte_reader& in, remote_info where, std::string message, const std::exception_ptr& nested) {
            E e = build(in, message);
            return make_remote(std::move(e), std::move(where), std::move(message), nested);
          }};
}

void encode_nothing(byte_writer&) {}

template <class E>
exception_type from_message() {
  return standard<E>(encode_nothing, [](byte_reader&, const std::string& message) { return E(message); });
}

template <class E>
exception_type from_nothing() {
  return standard<E>(encode_nothing, [](byte_reader&, const std::string&) { return E(); });
}

template <class E>
void put_code_of_current(byte_writer& out) {
  try {
    throw;
  } catch (const E& e) {
    encode_error_code(out, e.code());
  }
}

void put_filesystem_error(byte_writer& out) {
  try {
    throw;
  } catch (const std::filesystem::filesystem_error& e) {
    encode_error_code(out, e.code());
    out.put_string(e.path1().string());
    out.put_string(e.path2().string());
  }
}

std::filesystem::filesystem_error get_filesystem_error(byte_reader& in, const std::string& message) {
  const std::error_code code = decode_error_code(in);
  const std::string first = in.get_string();
  const std::string second = in.get_string();
  return {message, first, second, code};
}

void put_regex_error(byte_writer& out) {
  try {
    throw;
  } catch (const std::regex_error& e) {
    out.put<std::int32_t>(e.code());
  }
}

exception_registry& registry() {
  static auto& all = *new exception_registry;  // never destroyed, because static executors may be destroyed later
  static std::once_flag filled;
  std::call_once(filled, [] {
    for (const exception_type& type : {
             from_nothing<std::exception>(),
             from_message<std::logic_error>(),
             from_message<std::invalid_argument>(),
             from_message<std::domain_error>(),
             from_message<std::length_error>(),
             from_message<std::out_of_range>(),
             from_message<std::runtime_error>(),
             from_message<std::range_error>(),
             from_message<std::overflow_error>(),
             from_message<std::underflow_error>(),
             from_nothing<std::bad_alloc>(),
             from_nothing<std::bad_array_new_length>(),
             from_nothing<std::bad_cast>(),
             from_nothing<std::bad_any_cast>(),
             from_nothing<std::bad_typeid>(),
             from_nothing<std::bad_exception>(),
             from_nothing<std::bad_function_call>(),
             from_nothing<std::bad_weak_ptr>(),
             from_nothing<std::bad_optional_access>(),
             from_nothing<std::bad_variant_access>(),
             from_message<error>(),
             from_message<cancelled_error>(),
             from_message<timeout_error>(),
             from_message<pool_closed>(),
             from_message<broken_pool>(),
             from_message<stopped_error>(),
             from_message<journal_error>(),
             from_message<worker_lost>(),
             from_message<serialization_error>(),
             from_message<remote_error>(),
             standard<std::system_error>(
                 put_code_of_current<std::system_error>,
                 [](byte_reader&in, const std::string&) { return std::system_error(decode_error_code(in)); }),
             standard<std::ios_base::failure>(
                 put_code_of_current<std::ios_base::failure>,
                 [](byte_reader&in, const std::string&message) { return std::ios_base::failure(message, decode_error_code(in)); }),
             standard<std::future_error>(put_code_of_current<std::future_error>,
                                         [](byte_reader&in, const std::string&) {
                                           return std::future_error(static_cast<std::future_errc>(decode_error_code(in).value()));
                                         }),
             standard<std::filesystem::filesystem_error>(put_filesystem_error, get_filesystem_error),
             standard<std::regex_error>(put_regex_error,
                                        [](byte_reader&in, const std::string&) {
                                          return std::regex_error(
                                              static_cast<std::regex_constants::error_type>(in.get<std::int32_t>()));
                                        }),
             task_lost_type(),
             task_timed_out_type(),
         }) {
      all.add(type);
    }
  });
  return all;
}

struct current_exception_text {
  std::string message;
  std::exception_ptr nested;
};

current_exception_text describe_current() {
  current_exception_text text;
  try {
    throw;
  } catch (const std::nested_exception& e) {
    text.nested = e.nested_ptr();
  } catch (...) {
  }
  try {
    throw;
  } catch (const std::exception& e) {
    const char* what = e.what();
    text.message = what == nullptr ? "" : what;
  } catch (const std::string& s) {
    text.message = s;
  } catch (const char* s) {
    text.message = s == nullptr ? "" : s;
  } catch (int i) {
    text.message = std::to_string(i);
  } catch (...) {
  }
  return text;
}

std::atomic<void (*)()> translator = nullptr;

constexpr int max_nesting = 64;  // longer chains of nested exceptions are cut

void encode_current(byte_writer& out, int depth) {
  const std::type_info* type = abi::__cxa_current_exception_type();
  const std::string name = type == nullptr ? "an unknown type" : thrown_type_name(*type);
  const current_exception_text text = describe_current();
  auto known = registry().find(name);

  byte_buffer content;
  byte_writer content_writer(content);
  if (known) {
    try {
      known->encode(content_writer);
    } catch (...) {  // the type's own encoder failed: send the name and message only
      known.reset();
      content.clear();
    }
  }
  out.put<std::uint8_t>(known.has_value());
  out.put_string(name);
  out.put_string(text.message);
  out.put_string(throw_trace(std::current_exception()));
  const bool has_nested = text.nested != nullptr && depth < max_nesting;
  out.put<std::uint8_t>(has_nested);
  if (has_nested) {
    try {
      std::rethrow_exception(text.nested);
    } catch (...) {
      encode_current(out, depth + 1);
    }
  }
  out.put<std::uint64_t>(content.size());
  out.raw(content.data(), content.size());
}

std::exception_ptr decode_at(byte_reader& in, const remote_info& where, int depth) {
  if (depth > max_nesting) throw serialization_error("received an exception with too many nested exceptions");
  remote_info info = where;
  const bool is_known = in.get<std::uint8_t>() != 0;
  info.type_name = in.get_string();
  std::string message = in.get_string();
  info.trace = in.get_string();
  std::exception_ptr nested;
  if (in.get<std::uint8_t>() != 0) nested = decode_at(in, where, depth + 1);
  byte_reader content = in.sub(in.get_count(1));
  if (const auto known = registry().find(info.type_name); known && is_known) {
    try {
      return known->decode(content, info, message, nested);
    } catch (...) {  // the type's own decoder failed: use the name and message only
    }
  }
  std::string text = info.type_name + (message.empty() ? "" : ": " + message);
  std::string copy = text;
  return make_remote(remote_error(text), std::move(info), std::move(copy), nested);
}

}  // namespace

void register_exception(const exception_type& type) { registry().add(type); }

void unregister_exception(const exception_type& type) noexcept {
  try {
    registry().remove(type);
  } catch (...) {  // only the allocation of the type's name can fail
  }
}

void translate_exceptions(void (*translate)()) { translator = translate; }

void encode_current_exception(byte_writer& out) {
  if (const auto translate = translator.load(); translate != nullptr) {
    try {
      translate();
    } catch (...) {
      encode_current(out, 0);
      forget_throws();
      return;
    }
  }
  encode_current(out, 0);
  forget_throws();
}

std::exception_ptr decode_exception(byte_reader& in, const worker_place& where, std::uint64_t task) {
  return decode_at(in, {.rank = where.rank, .host = where.host, .task = task, .type_name = {}, .trace = {}}, 0);
}

void rethrow_as_serialization_error(const char* doing) {
  try {
    throw;
  } catch (const std::exception& e) {
    throw serialization_error(std::string(doing) + ": " + demangle(typeid(e).name()) + ": " + e.what());
  } catch (...) {
    throw serialization_error(std::string(doing) + ": an exception of unknown type");
  }
}

}  // namespace rankpool::detail

namespace rankpool {

const remote_info* remote_context(const std::exception& e) noexcept {
  const auto* origin = dynamic_cast<const detail::remote_origin*>(&e);
  return origin == nullptr ? nullptr : &origin->info();
}

const remote_info* remote_context(const std::exception_ptr& e) noexcept {
  if (e == nullptr) return nullptr;
  try {
    std::rethrow_exception(e);
  } catch (const detail::remote_origin& origin) {
    return &origin.info();
  } catch (...) {
    return nullptr;
  }
}

}  // namespace rankpool

// The modules of this process and their build ids, read from the program headers that the loader keeps.
#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/errors.hpp>

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <utility>
#include <vector>

namespace rankpool::detail {
namespace {

struct loaded_module {
  std::string build_id;  // hexadecimal; a hash of the code if the linker wrote no build id
  std::uint64_t key = 0;
  std::uintptr_t base = 0;
  using segments = std::vector<std::pair<std::uintptr_t, std::uintptr_t>>;  // [first, last) of each
  segments code;                                                            // executable
  segments data;                                                            // readable

  bool contains(std::uintptr_t address) const { return any_has(code, address, 1); }
  bool contains_object(std::uintptr_t address, std::size_t size) const { return any_has(data, address, size); }

 private:
  static bool any_has(const segments& all, std::uintptr_t address, std::size_t size) {
    for (const auto& [first, last] : all) {
      if (address >= first && address < last && size <= last - address) return true;
    }
    return false;
  }
};

std::uint64_t fnv1a(std::span<const unsigned char> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (unsigned char b : bytes) hash = (hash ^ b) * 0x100000001b3U;
  return hash;
}

std::string hex(std::span<const unsigned char> bytes) {
  std::string text;
  for (unsigned char b : bytes) {
    text += "0123456789abcdef"[b >> 4];
    text += "0123456789abcdef"[b & 15];
  }
  return text;
}

std::span<const unsigned char> build_id_note(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& header = info.dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const unsigned char*>(info.dlpi_addr + header.p_vaddr);
    const auto* end = at + header.p_memsz;
    const std::size_t align = header.p_align == 8 ? 8 : 4;
    const auto padded = [align](std::size_t n) { return (n + align - 1) / align * align; };
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const auto* name = at + sizeof note;
      const auto* content = name + padded(note.n_namesz);
      if (content + note.n_descsz > end) break;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        return {content, note.n_descsz};
      }
      at = content + padded(note.n_descsz);
    }
  }
  return {};
}

void read_module(const dl_phdr_info& info, std::vector<loaded_module>& into) {
  loaded_module m;
  m.base = info.dlpi_addr;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& header = info.dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const std::pair bounds(m.base + header.p_vaddr, m.base + header.p_vaddr + header.p_memsz);
    if ((header.p_flags & PF_X) != 0) m.code.push_back(bounds);
    if ((header.p_flags & PF_R) != 0) m.data.push_back(bounds);
  }
  if (m.code.empty()) return;
  if (const auto id = build_id_note(info); !id.empty()) {
    m.build_id = hex(id);
    m.key = fnv1a(id);
  } else {
    const auto [first, last] = m.code.front();
    m.key = fnv1a({reinterpret_cast<const unsigned char*>(first), last - first});
    m.build_id = "code-" + std::to_string(m.key);
  }
  into.push_back(std::move(m));
}

// The numbers of modules that the loader has loaded and unloaded so far.
struct loader_counts {
  unsigned long long loaded = 0;
  unsigned long long unloaded = 0;
  friend bool operator==(loader_counts, loader_counts) = default;
};

loader_counts current_counts() {
  loader_counts counts;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* into) {
        *static_cast<loader_counts*>(into) = {info->dlpi_adds, info->dlpi_subs};
        return 1;  // all modules have the same counts
      },
      &counts);
  return counts;
}

// The loaded modules, the program first. The table is read again whenever the loader has loaded or unloaded a module, because
// another library may have the addresses of an unloaded one. Querying the loader takes some 30 ns.
class module_table {
 public:
  /// Calls `look` for each module and returns the first result that has a value.
  template <class Look>
  auto find(Look look) -> decltype(look(std::declval<const loaded_module&>())) {
    const loader_counts now = current_counts();
    std::shared_lock lock(mutex_);
    if (now != counts_) {
      lock.unlock();
      read();
      lock.lock();
    }
    for (const loaded_module& m : modules_) {
      if (auto found = look(m)) return found;
    }
    return std::nullopt;
  }

  loaded_module program() {
    return *find([](const loaded_module& m) { return std::optional(m); });
  }

 private:
  struct reading {
    loader_counts counts;
    std::vector<loaded_module> modules;
  };

  void read() {
    reading found;
    dl_iterate_phdr(  // runs with the loader's lock held, so counts and modules are consistent
        [](dl_phdr_info* info, std::size_t, void* into) {
          auto& r = *static_cast<reading*>(into);
          r.counts = {info->dlpi_adds, info->dlpi_subs};
          read_module(*info, r.modules);
          return 0;
        },
        &found);
    std::unique_lock lock(mutex_);
    modules_ = std::move(found.modules);
    counts_ = found.counts;
  }

  std::shared_mutex mutex_;
  std::vector<loaded_module> modules_;
  loader_counts counts_;  // when they were read
};

module_table& modules() {
  static auto& table = *new module_table;  // never destroyed, because static executors may be destroyed later
  return table;
}

// The program's own module. It is never unloaded and contains nearly every function, so most lookups need neither loader nor table.
const loaded_module& program() {
  static const auto& m = *new loaded_module(modules().program());
  return m;
}

/// Returns the address within the module for which `contains` returns true; nothing if there is no such module.
template <class Contains>
std::optional<code_address> locate(std::uintptr_t address, Contains contains) {
  const auto within = [address](const loaded_module& m) { return code_address{m.key, address - m.base}; };
  if (const loaded_module& own = program(); contains(own)) return within(own);
  return modules().find([&](const loaded_module& m) { return contains(m) ? std::optional(within(m)) : std::nullopt; });
}

/// Returns the result of `look` for the module with this key; nothing if the module is not loaded.
template <class Look>
auto find_in_module(std::uint64_t module, Look look) -> decltype(look(program())) {
  if (module == program().key) return look(program());
  return modules().find([&](const loaded_module& m) { return m.key == module ? look(m) : std::nullopt; });
}

}  // namespace

code_address locate_code(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const auto found = locate(address, [&](const loaded_module& m) { return m.contains(address); });
  if (!found) {
    throw serialization_error("a function pointer does not point to a function: it is uninitialised, or its library was unloaded");
  }
  return *found;
}

const void* resolve_code(code_address where) {
  const auto within = [where](const loaded_module& m) {  // null: the offset is outside the code
    const std::uintptr_t address = m.base + where.offset;
    return m.contains(address) ? reinterpret_cast<const void*>(address) : nullptr;
  };
  const auto found = find_in_module(where.module, [&](const loaded_module& m) { return std::optional(within(m)); });
  if (!found) {
    throw serialization_error(
        "received a function of a library that is not loaded on this rank; load the same build of the library on every rank, for "
        "example in the executor's initializer");
  }
  if (*found == nullptr) {
    throw serialization_error("received a function whose offset is outside the code of its program or library");
  }
  return *found;
}

code_address locate_object(const void* object) {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  return locate(address, [&](const loaded_module& m) { return m.contains_object(address, 1); }).value_or(code_address{});
}

const void* find_object(code_address where, std::size_t size) {
  const auto address = find_in_module(where.module, [&](const loaded_module& m) {
    const std::uintptr_t inside = m.base + where.offset;
    return inside % alignof(void*) == 0 && m.contains_object(inside, size) ? std::optional(inside) : std::nullopt;
  });
  return address ? reinterpret_cast<const void*>(*address) : nullptr;
}

std::string program_build_id() { return program().build_id; }

}  // namespace rankpool::detail

// Modules of this process and their build ids, read from the program headers that the loader keeps.
#include <rankpool/detail/code_address.hpp>
#include <rankpool/errors.hpp>

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

namespace rankpool::detail {
namespace {

struct loaded_module {
  std::string build_id;  // hexadecimal; a hash of the code where the linker wrote none
  std::uint64_t key = 0;
  std::uintptr_t base = 0;
  using segments = std::vector<std::pair<std::uintptr_t, std::uintptr_t>>;  // [first, last) of each
  segments code;                                                            // executable
  segments data;                                                            // readable

  bool holds(std::uintptr_t address) const { return any_has(code, address, 1); }
  bool holds_object(std::uintptr_t address, std::size_t size) const { return any_has(data, address, size); }

 private:
  static bool any_has(const segments& all, std::uintptr_t address, std::size_t size) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& s) { return address >= s.first && address < s.second && size <= s.second - address; });
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

int read_module(dl_phdr_info* info, std::size_t, void* into) {
  loaded_module m;
  m.base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const std::pair bounds(m.base + header.p_vaddr, m.base + header.p_vaddr + header.p_memsz);
    if ((header.p_flags & PF_X) != 0) m.code.push_back(bounds);
    if ((header.p_flags & PF_R) != 0) m.data.push_back(bounds);
  }
  if (m.code.empty()) return 0;
  if (const auto id = build_id_note(*info); !id.empty()) {
    m.build_id = hex(id);
    m.key = fnv1a(id);
  } else {
    const auto [first, last] = m.code.front();
    m.key = fnv1a({reinterpret_cast<const unsigned char*>(first), last - first});
    m.build_id = "code-" + std::to_string(m.key);
  }
  static_cast<std::vector<loaded_module>*>(into)->push_back(std::move(m));
  return 0;
}

// The program itself is first. Read again only when an address or a key is unknown: a library was loaded since.
class module_table {
 public:
  module_table() { refresh(); }

  template <class Match>
  loaded_module find(Match match) {
    {
      std::shared_lock lock(mutex_);
      for (const loaded_module& m : modules_) {
        if (match(m)) return m;
      }
    }
    refresh();
    std::shared_lock lock(mutex_);
    for (const loaded_module& m : modules_) {
      if (match(m)) return m;
    }
    return {};
  }

  loaded_module program() {
    std::shared_lock lock(mutex_);
    return modules_.front();
  }

 private:
  void refresh() {
    std::vector<loaded_module> found;
    dl_iterate_phdr(read_module, &found);
    std::unique_lock lock(mutex_);
    modules_ = std::move(found);
  }

  std::shared_mutex mutex_;
  std::vector<loaded_module> modules_;
};

module_table& modules() {
  static auto& table = *new module_table;  // never destroyed: executors of static storage may end later
  return table;
}

// The program's own module never changes and holds nearly every function: no lock for it.
const loaded_module& program() {
  static const auto& m = *new loaded_module(modules().program());
  return m;
}

}  // namespace

code_address locate_code(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (program().holds(address)) return {program().key, address - program().base};
  const loaded_module m = modules().find([&](const loaded_module& candidate) { return candidate.holds(address); });
  if (m.key == 0) throw serialization_error("a function pointer that points to no function cannot travel");
  return {m.key, address - m.base};
}

const void* resolve_code(code_address where) {
  const auto inside = [&](const loaded_module& m) { return reinterpret_cast<const void*>(m.base + where.offset); };
  if (where.module == program().key) {
    if (!program().holds(program().base + where.offset)) throw serialization_error("a function's offset is outside the program");
    return inside(program());
  }
  const loaded_module m = modules().find([&](const loaded_module& candidate) { return candidate.key == where.module; });
  if (m.key == 0) throw serialization_error("a function of a library that is not loaded on this rank was received");
  if (!m.holds(m.base + where.offset)) throw serialization_error("a function's offset is outside its library");
  return inside(m);
}

code_address locate_object(const void* object) {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  const auto holds = [&](const loaded_module& m) { return m.holds_object(address, 1); };
  const loaded_module m = holds(program()) ? program() : modules().find(holds);
  return m.key == 0 ? code_address{} : code_address{m.key, address - m.base};
}

const void* find_object(code_address where, std::size_t size) {
  const loaded_module m = where.module == program().key ? program() : modules().find([&](const loaded_module& candidate) {
    return candidate.key == where.module;
  });
  const std::uintptr_t address = m.base + where.offset;
  if (m.key == 0 || address % alignof(void*) != 0 || !m.holds_object(address, size)) return nullptr;
  return reinterpret_cast<const void*>(address);
}

std::string program_build_id() { return program().build_id; }

}  // namespace rankpool::detail

// System calls on files, done in full, with errors that name the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rankpool::detail {

/// Throws std::system_error: "cannot write PATH: REASON".
[[noreturn]] void fail_to_write(int error, const std::string& path);
/// Throws std::system_error: "PROBLEM: REASON; REMEDY".
[[noreturn]] void fail_with_remedy(int error, const std::string& problem, const std::string& remedy);

/// Writes all bytes at `offset`, or at the descriptor's position. Throws: std::system_error that names `path`.
void write_at(int descriptor, std::span<const std::byte> bytes, std::uint64_t offset, const std::string& path);
void append(int descriptor, std::span<const std::byte> bytes, const std::string& path);

/// Waits until the contents, the size and the times of the file are on the disk. Throws: std::system_error that names `path`.
void sync_file(int descriptor, const std::string& path);
/// Waits until the names in the folder of `path` are on the disk. Throws: std::system_error.
void sync_folder_of(const std::string& path);

/// Gives a file another name. Returns 0 or an errno: EEXIST if the name is taken by a file that is not to be replaced, or by
/// anything but a regular file.
int rename_file(const std::string& from, const std::string& to, bool overwrite);

/// Returns the path to which the symbolic links of this name lead, whether there is a file or not.
std::string behind_links(const std::string& path);

}  // namespace rankpool::detail

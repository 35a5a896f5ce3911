// A file for decoders written in C: a FILE that closes itself and says why it cannot be opened.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "image/picture.hpp"

namespace jobs {

struct close_input {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using input_file = std::unique_ptr<std::FILE, close_input>;

/// Throws: picture_error.
inline input_file open_input_file(const std::string& path) {
  struct stat status {};
  const bool is_known = ::stat(path.c_str(), &status) == 0;
  if (is_known && S_ISDIR(status.st_mode)) throw picture_error(path + ": is a folder");
  if (is_known && !S_ISREG(status.st_mode)) throw picture_error(path + ": is not a regular file");  // it is read more than once
  input_file file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw picture_error(path + ": cannot be read: " + std::strerror(errno));
  return file;
}

}  // namespace jobs

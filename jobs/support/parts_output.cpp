#include "support/parts_output.hpp"

#include <utility>

namespace jobs {
namespace {

[[noreturn]] void fail(const std::system_error& error, const std::string& name) {
  throw output_error(error.code().value(), std::generic_category(), "cannot write " + name);
}

unfinished_file start(const std::string& name) {
  try {
    return unfinished_file(name);
  } catch (const std::system_error& error) {
    fail(error, name);
  }
}

}  // namespace

parts_output::parts_output(const output_options& options, std::uint64_t bytes)
    : name_(options.path),
      replace_(options.force),
      unfinished_(start(options.path)),
      parts_(unfinished_.path(), file::mode::write) {
  try {
    unfinished_.reserve(bytes);
  } catch (const std::system_error& error) {
    fail(error, name_);
  }
}

void parts_output::finish() {
  try {
    parts_.sync();
    parts_.close();
    unfinished_.finish(replace_);
  } catch (const std::system_error& error) {
    fail(error, name_);
  }
}

}  // namespace jobs

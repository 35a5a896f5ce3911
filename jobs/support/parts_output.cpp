#include "support/parts_output.hpp"

#include <ios>
#include <random>
#include <sstream>
#include <utility>

namespace jobs {
namespace {

[[noreturn]] void fail(const std::system_error& error, const std::string& name) {
  throw output_error(error.code().value(), std::generic_category(), "cannot write " + name);
}

std::string name_of_its_own(const std::string& name) {
  std::random_device random;
  std::ostringstream text;
  text << behind_links(name) << ".part-" << std::hex << random() << random();
  return text.str();
}

/// The parts that a journal has as written are in one file for all its runs.
unfinished_file start(command_context& context, const std::string& name) {
  const std::string fresh = name_of_its_own(name);
  const std::string path = context.journal.recall("parts of " + name, fresh);
  try {
    return context.resumable.journal.empty() ? unfinished_file(name) : unfinished_file(name, path, path == fresh);
  } catch (const std::system_error& error) {
    if (path == fresh) fail(error, name);
    throw output_error(error.code().value(), std::generic_category(),
                       "the parts of " + name + " that the journal " + context.resumable.journal + " has as written are in " + path +
                           ", which cannot be used (begin another journal if it is lost)");
  }
}

}  // namespace

parts_output::parts_output(command_context& context, const output_options& options, std::uint64_t bytes)
    : name_(options.path),
      replace_(options.force),
      unfinished_(start(context, options.path)),
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

#include "support/parts_output.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <ios>
#include <random>
#include <sstream>
#include <utility>

namespace jobs {
namespace {

[[noreturn]] void fail(const std::system_error& error, const std::string& name) {
  throw output_error(error.code().value(), std::generic_category(), "cannot write " + name);
}

std::string random_name() {
  std::random_device random;
  std::ostringstream text;
  text << std::hex << random() << random();
  return text.str();
}

/// The same in all runs with the journal.
std::string name_of_parts(const rankpool::journal& journal, const std::string& name) {
  return behind_links(name) + ".part-" + rankpool::journal(journal).recall("name of parts", random_name());
}

// What the journal knows of a file, by its role: for which name it is written, whether it has been made, and when it was finished.
std::string purpose(const std::string& role) { return "file with the " + role; }
std::string creation(const std::string& role) { return "file with the " + role + " has been made"; }
std::string completion(const std::string& role) { return "time of the file with the " + role; }

/// Seconds since 1970 when the file was written last, which is what it is told to be and goes with it to another name.
std::string time_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? std::to_string(status.st_mtim.tv_sec) : std::string();
}

void set_time(const file& of, const std::string& seconds) {
  const timespec when{.tv_sec = std::stoll(seconds), .tv_nsec = 0};
  if (::futimens(of.descriptor(), std::array{when, when}.data()) != 0)
    throw std::system_error(errno, std::generic_category(), of.path());
}

/// Null if an earlier run has finished it.
std::unique_ptr<unfinished_file> start(command_context& context, const std::string& name, const std::string& role) {
  rankpool::journal& journal = context.journal;
  if (context.resumable.journal.empty()) return std::make_unique<unfinished_file>(name);
  const std::string known = "the journal " + context.resumable.journal + " has as written";
  if (const std::string first = journal.recall(purpose(role), name); first != name) {
    throw usage_error(known + " what went into " + first + ", not into " + name + "; go on with that, or begin another journal");
  }
  const std::string path = name_of_parts(journal, name);
  std::error_code none;
  if (journal.recalled(creation(role)) && !std::filesystem::exists(path, none)) {
    if (const auto time = journal.recalled(completion(role)); time && time_of(behind_links(name)) == *time) return nullptr;
    throw output_error(ENOENT, std::generic_category(),
                       "the parts of " + name + " that " + known + " were in " + path + ", which is lost (begin another journal)");
  }
  auto made = std::make_unique<unfinished_file>(name, path);
  journal.recall(creation(role), "yes");
  return made;
}

}  // namespace

parts_output::parts_output(command_context& context, const output_options& options, std::uint64_t bytes, const std::string& role)
    : name_(options.path), role_(role), replace_(options.resumed(context).force), journal_(context.journal) {
  try {
    unfinished_ = start(context, name_, role_);
    if (is_finished()) {
      context.note(name_ + " was finished by an earlier run with the journal " + context.resumable.journal);
      return;
    }
    unfinished_->reserve(bytes);
    parts_.emplace(path(), file::mode::write);
  } catch (const output_error&) {
    throw;
  } catch (const std::system_error& error) {
    fail(error, name_);
  }
}

void parts_output::remove_remains(command_context& context, const output_options& options, const std::string& role) {
  std::error_code none;
  if (context.journal.recalled(creation(role))) std::filesystem::remove(name_of_parts(context.journal, options.path), none);
}

void parts_output::finish() {
  try {
    parts_->sync();
    if (journal_.recalled(creation(role_)))
      set_time(*parts_, journal_.recall(completion(role_), std::to_string(std::time(nullptr))));
    parts_->close();
    journal_.commit();  // or tasks that it lacks would be run again, for a file that has its name
    unfinished_->finish(replace_);
  } catch (const std::system_error& error) {
    fail(error, name_);
  }
}

}  // namespace jobs

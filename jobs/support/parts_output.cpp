#include "support/parts_output.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <ios>
#include <random>
#include <sstream>
#include <utility>

#include "engine/job_run.hpp"
#include "support/canonical_path.hpp"

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

std::string name_of_parts(rankpool::journal& journal, const std::string& name) {
  return canonical_path(behind_links(name)) + suffix_of_parts(journal);
}

// What the journal knows of a file, by its role: for which name it is written, and whether it has been made.
std::string purpose(const std::string& role) { return "file with the " + role; }
std::string creation(const std::string& role) { return "file with the " + role + " has been made"; }

/// Null if an earlier run has finished it.
std::unique_ptr<unfinished_file> start(job_run& run, const std::string& name, const std::string& role) {
  rankpool::journal& journal = run.journal();
  if (!run.has_journal()) return std::make_unique<unfinished_file>(name);
  const std::string known = "the journal " + run.journal_name() + " has as written";
  if (const std::string first = journal.recall(purpose(role), canonical_path(name)); first != canonical_path(name)) {
    throw usage_error(known + " what went into " + first + ", not into " + name + "; go on with that, or begin another journal");
  }
  const std::string path = name_of_parts(journal, name);
  std::error_code none;
  if (journal.recalled(creation(role)) && !std::filesystem::exists(path, none)) {
    if (has_written(journal, behind_links(name))) return nullptr;
    throw output_error(ENOENT, std::generic_category(),
                       "the parts of " + name + " that " + known + " were in " + path + ", which is lost, and " + name +
                           " is not what came of it (begin another journal)");
  }
  auto made = std::make_unique<unfinished_file>(name, path);
  journal.recall(creation(role), "yes");
  return made;
}

}  // namespace

std::string suffix_of_parts(rankpool::journal& journal) { return ".part-" + journal.recall("name of parts", random_name()); }

parts_output::parts_output(job_run& run, const output_options& options, std::uint64_t bytes, const std::string& role)
    : name_(options.path),
      replace_(options.replaces(run.journal())),
      kept_(run.has_journal()),
      journal_(run.journal()) {
  try {
    unfinished_ = start(run, name_, role);
    if (is_finished()) {
      run.note(name_ + " was finished by an earlier run with the journal " + run.journal_name());
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

void parts_output::remove_remains(job_run& run, const output_options& options, const std::string& role) {
  std::error_code none;
  if (run.journal().recalled(creation(role))) std::filesystem::remove(name_of_parts(run.journal(), options.path), none);
}

void parts_output::finish() {
  try {
    parts_->sync();
    note_written(journal_, parts_->descriptor(), behind_links(name_));
    if (kept_ && ::fsync(parts_->descriptor()) != 0) throw std::system_error(errno, std::generic_category());  // the time as well
    parts_->close();
    journal_.commit();  // or tasks that it lacks would be run again, for a file that has its name
    unfinished_->finish(replace_);
    if (kept_) sync_folder_of(behind_links(name_));
  } catch (const std::system_error& error) {
    fail(error, name_);
  }
}

}  // namespace jobs

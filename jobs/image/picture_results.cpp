#include "image/picture_results.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "support/file_io.hpp"
#include "support/parts_output.hpp"
#include "support/unfinished_file.hpp"

namespace jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_unnamed = 1000;
constexpr auto named_every = std::chrono::milliseconds(500);

// The name of a decision of the journal: which files a batch of results was named.
std::string note_of(std::size_t batch) { return "named results " + std::to_string(batch); }

}  // namespace

std::string result_exists(const picture_files& files) { return files.output + " exists already; --force replaces it"; }

picture_results::picture_results(const job_run& run, bool replaces) : journal_(run.journal()), replaces_(replaces) {
  if (!run.has_journal()) return;
  suffix_ = suffix_of_parts(journal_);
  for (; const auto note = journal_.recalled(note_of(notes_)); ++notes_) {
    std::istringstream in(*note);
    file_version version;
    std::size_t length = 0;
    while (in >> version.bytes >> version.seconds >> version.nanoseconds >> length && in.get() == ':') {
      std::string path(length, '\0');
      in.read(path.data(), static_cast<std::streamsize>(length));
      named_[path].push_back(version);
    }
  }
}

void picture_results::prepare(picture_files& files) const {
  if (suffix_.empty()) return;
  files.unfinished = files.output + suffix_;
  files.version = version_of(files.input).value_or(file_version());
}

void picture_results::remove_remains(const std::vector<picture_files>& pictures) const {
  if (suffix_.empty()) return;
  std::set<fs::path> folders;
  for (const picture_files& files : pictures) folders.insert(fs::path(files.output).parent_path());
  for (const fs::path& folder : folders) {
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      if (entry->path().filename().string().find(suffix_ + ".part-") != std::string::npos) fs::remove(entry->path(), ignored);
    }
  }
}

picture_results::state picture_results::state_of(const picture_files& files, const picture_result& result) const {
  if (files.unfinished.empty() || version_of(files.output) == result.version) return state::named;
  return version_of(files.unfinished) == result.version ? state::unfinished : state::lost;
}

bool picture_results::may_replace(const picture_files& files) const {
  if (replaces_) return true;
  const auto ours = named_.find(files.output);
  const auto now = version_of(files.output);
  return now && ours != named_.end() && std::ranges::find(ours->second, *now) != ours->second.end();
}

bool picture_results::is_taken(const picture_files& files) const {
  std::error_code ignored;
  return !files.unfinished.empty() && fs::exists(fs::symlink_status(files.output, ignored)) && !may_replace(files);
}

void picture_results::name(const picture_files& files, const picture_result& result, named_function named) {
  unnamed_.push_back({files, result.version, std::move(named)});
  if (unnamed_.size() >= most_unnamed || std::chrono::steady_clock::now() - last_naming_ >= named_every) name_all();
}

void picture_results::name_all() {
  const auto results = std::exchange(unnamed_, {});
  last_naming_ = std::chrono::steady_clock::now();
  if (results.empty()) return;
  journal_.commit();
  versions noted;
  for (const auto& [files, version, named] : results) noted.emplace_back(files.output, version);
  note(noted);
  std::set<std::string> folders;
  for (const auto& [files, version, named] : results) {
    if (version_of(files.unfinished) != version) {
      named(files.output + ": its result was changed or removed before it had this name; run it again");
      continue;
    }
    try {
      name_file(files.unfinished, files.output, may_replace(files));
      folders.insert(fs::path(files.output).parent_path().string() + "/");
      named({});
    } catch (const std::system_error& error) {
      named(error.code().value() == EEXIST ? result_exists(files) : "cannot write " + files.output + ": " + error.code().message());
    }
  }
  for (const std::string& folder : folders) sync_folder_of(folder);
}

void picture_results::note(const versions& named) {
  std::ostringstream text;
  for (const auto& [path, version] : named) {
    named_[path].push_back(version);
    text << version.bytes << ' ' << version.seconds << ' ' << version.nanoseconds << ' ' << path.size() << ':' << path;
  }
  journal_.recall(note_of(notes_++), text.str());
}

}  // namespace jobs

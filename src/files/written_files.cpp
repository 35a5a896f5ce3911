// A note of the journal is a decision "written files N": for each file its size, its time, the length of its path, and the path.
#include <rankpool/written_files.hpp>

#include "files/file_calls.hpp"
#include "journal/file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <system_error>

namespace rankpool {
namespace {

std::string name_of_note(std::size_t number) { return "written files " + std::to_string(number); }

}  // namespace

std::string canonical_path(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path found = fs::weakly_canonical(fs::absolute(detail::behind_links(path), error), error);
  return error ? path : found.string();
}

std::optional<file_version> file_version::of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return file_version{status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

written_files::written_files(const journal& kept) : journal_(kept), has_journal_(detail::journal_access::get(kept) != nullptr) {}

bool written_files::contains(const std::string& path) {
  read_notes();
  const auto ours = files_.find(canonical_path(path));
  if (ours == files_.end()) return false;
  const auto now = file_version::of(ours->first);
  return now && std::ranges::find(ours->second, *now) != ours->second.end();
}

bool written_files::is_taken(const std::string& path, bool overwrite) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(detail::behind_links(path), error);
  return std::filesystem::exists(status) && !overwrite && !contains(path);
}

void written_files::add(const std::vector<std::pair<std::string, file_version>>& files) {
  if (!has_journal_ || files.empty()) return;
  std::ostringstream text;
  for (const auto& [path, version] : files) {
    const std::string canonical = canonical_path(path);
    text << version.size_bytes << ' ' << version.seconds << ' ' << version.nanoseconds << ' ' << canonical.size() << ':'
         << canonical;
  }
  const std::string note = text.str();
  do {  // another object may have added notes
    read_notes();
  } while (journal_.recall(name_of_note(notes_), note) != note);
  journal_.commit();
}

void written_files::read_notes() {
  for (; const auto note = journal_.recalled(name_of_note(notes_)); ++notes_) {
    std::istringstream in(*note);
    file_version version;
    std::size_t length = 0;
    while (in >> version.size_bytes >> version.seconds >> version.nanoseconds >> length && in.get() == ':') {
      std::string path(length, '\0');
      in.read(path.data(), static_cast<std::streamsize>(length));
      files_[path].push_back(version);
    }
  }
}

}  // namespace rankpool

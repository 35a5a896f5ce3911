#include "image/picture_results.hpp"

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "support/file_io.hpp"
#include "support/parts_output.hpp"
#include "support/unfinished_file.hpp"

namespace jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_unnamed = 1000;
constexpr auto named_every = std::chrono::milliseconds(500);

std::string taken(const picture_files& files) { return files.output + " exists already; --force replaces it"; }

}  // namespace

picture_results::picture_results(const command_context& context, bool replaces)
    : journal_(context.journal),
      replaces_(replaces),
      suffix_(context.resumable.journal.empty() ? std::string() : suffix_of_parts(journal_)) {}

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

bool picture_results::is_taken(const picture_files& files) const {
  std::error_code ignored;
  return !files.unfinished.empty() && !replaces_ && fs::exists(fs::symlink_status(files.output, ignored));
}

void picture_results::name(picture_files files, std::function<void(const std::string&)> named) {
  unnamed_.emplace_back(std::move(files), std::move(named));
  if (unnamed_.size() >= most_unnamed || std::chrono::steady_clock::now() - named_ >= named_every) name_all();
}

void picture_results::name_all() {
  if (!unnamed_.empty()) journal_.commit();
  std::set<std::string> folders;
  for (auto& [files, named] : std::exchange(unnamed_, {})) {
    try {
      unfinished_file(files.output, files.unfinished).finish(replaces_);
      folders.insert(fs::path(files.output).parent_path().string());
      named({});
    } catch (const std::system_error& error) {
      const bool is_taken = error.code().value() == EEXIST;
      named(is_taken ? taken(files) : "cannot write " + files.output + ": " + error.code().message());
    }
  }
  for (const std::string& folder : folders) sync_folder_of(folder + "/");
  named_ = std::chrono::steady_clock::now();
}

}  // namespace jobs

// Files that tasks write whole. With a journal, a file has three names in turn: one of its process, one of the journal's runs, and
// the final one.
#include <rankpool/result_files.hpp>

#include "files/file_calls.hpp"
#include "files/temporary_suffix.hpp"

#include <cerrno>
#include <filesystem>
#include <utility>

namespace rankpool {
namespace {

namespace fs = std::filesystem;

// Naming costs a commit of the journal, so it is done for many files at once.
constexpr std::size_t max_accepted = 1000;
constexpr auto naming_interval = std::chrono::milliseconds(500);

}  // namespace

item_file::item_file(const item_target& target)
    : target_(target), file_(target.is_durable() ? target.temporary_path_ : target.path_) {}

void item_file::write(std::span<const std::byte> bytes) { detail::append(file_.descriptor(), bytes, target_.path_); }

void item_file::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

file_version item_file::finish() {
  const bool is_durable = target_.is_durable();
  if (is_durable) detail::sync_file(file_.descriptor(), target_.path_);
  file_.finish(is_durable || target_.overwrite_);
  if (is_durable) detail::sync_folder_of(target_.temporary_path_);
  const std::string& path = is_durable ? target_.temporary_path_ : target_.path_;
  const auto version = file_version::of(path);
  if (!version) detail::fail_to_write(ENOENT, path);
  return *version;
}

result_files::result_files(const journal& kept, const result_files_options& options)
    : journal_(kept), written_(kept), overwrite_(options.overwrite) {
  if (written_.has_journal()) suffix_ = detail::temporary_suffix(kept);
}

item_target result_files::target(const std::string& path, const std::string& input) {
  item_target target;
  target.path_ = path;
  if (!written_.has_journal()) {
    target.overwrite_ = overwrite_;
    return target;
  }
  // overwrite_ is no part of the target: another value would make other tasks.
  target.path_ = canonical_path(path);
  target.temporary_path_ = target.path_ + suffix_;
  if (!input.empty()) target.input_ = file_version::of(input).value_or(file_version());
  remove_remains(fs::path(target.path_).parent_path().string());
  return target;
}

void result_files::remove_remains(const std::string& folder) {
  if (!folders_.insert(folder).second) return;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().filename().string().find(suffix_ + ".part-") != std::string::npos) fs::remove(entry->path(), ignored);
  }
}

bool result_files::is_taken(const item_target& target) { return written_.is_taken(target.path_, overwrite_); }

bool result_files::accept(const item_target& target, const file_version& written, named_function named) {
  const bool is_named = !target.is_durable() || file_version::of(target.path_) == written;
  if (is_named) {
    if (named) named({});
    return true;
  }
  if (file_version::of(target.temporary_path_) != written) return false;
  accepted_.push_back({target, written, std::move(named)});
  if (accepted_.size() >= max_accepted || std::chrono::steady_clock::now() - last_naming_ >= naming_interval) name_accepted();
  return true;
}

void result_files::finish() {
  name_accepted();
  if (const std::error_code error = std::exchange(first_error_, {}))
    throw std::system_error(error, "cannot write " + first_failed_);
}

void result_files::name_accepted() {
  const auto files = std::exchange(accepted_, {});
  last_naming_ = std::chrono::steady_clock::now();
  if (files.empty()) return;
  journal_.commit();
  std::vector<std::pair<std::string, file_version>> notes;
  for (const accepted_file& file : files) notes.emplace_back(file.target.path_, file.version);
  written_.add(notes);
  std::set<std::string> folders;
  std::vector<std::error_code> errors;
  for (const accepted_file& file : files) {
    errors.push_back(name(file));
    if (!errors.back()) folders.insert(fs::path(file.target.path_).parent_path().string() + "/");
  }
  for (const std::string& folder : folders) detail::sync_folder_of(folder);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].named) {
      files[i].named(errors[i]);
    } else if (errors[i] && !first_error_) {
      first_error_ = errors[i];
      first_failed_ = files[i].target.path_;
    }
  }
}

std::error_code result_files::name(const accepted_file& file) {
  const auto error = [](int number) { return std::error_code(number, std::generic_category()); };
  const item_target& target = file.target;
  if (file_version::of(target.temporary_path_) != file.version) return error(ESTALE);
  return error(detail::rename_file(target.temporary_path_, target.path_, overwrite_ || written_.contains(target.path_)));
}

}  // namespace rankpool

// Journal handles. All handles of a process on the same path share one journal_file.
#include <rankpool/journal.hpp>

#include "journal/file.hpp"
#include "journal/open_journals.hpp"
#include "support/log.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

namespace rankpool {
namespace detail {

namespace {

struct open_journal {
  std::weak_ptr<journal_file> file;
  std::atomic<std::int64_t> calls = 0;  // calls that this process has made with this path, also if the file was closed in between
};

std::mutex registry_mutex;

std::map<std::filesystem::path, open_journal>& open_journals() {
  static auto& all = *new std::map<std::filesystem::path, open_journal>;  // never destroyed: a journal may be closed later
  return all;
}

}  // namespace

void commit_journals() {
  std::vector<std::shared_ptr<journal_file>> files;
  {
    const std::lock_guard lock(registry_mutex);
    for (const auto& [path, entry] : open_journals()) {
      if (auto file = entry.file.lock()) files.push_back(std::move(file));
    }
  }
  for (const auto& file : files) {
    if (file->has_reported_failure()) continue;
    try {
      file->commit();
    } catch (const journal_error& e) {
      log_line(e.what());
    }
  }
}

}  // namespace detail

journal::journal(const std::string& file, const std::string& subject) {
  std::error_code none;
  std::filesystem::path path = std::filesystem::weakly_canonical(file, none);
  if (none || path.empty()) path = file;
  const std::lock_guard lock(detail::registry_mutex);
  detail::open_journal& entry = detail::open_journals()[path];
  file_ = entry.file.lock();
  if (file_ != nullptr) {
    if (!subject.empty()) file_->expect_subject(subject);
    return;
  }
  file_ = std::make_shared<detail::journal_file>(path, subject, entry.calls);
  entry.file = file_;
}

void journal::commit() {
  if (file_ != nullptr) file_->commit();
}

std::string journal::recall(const std::string& name, const std::string& value) {
  return file_ == nullptr ? value : file_->recall(name, value);
}

std::optional<std::string> journal::recalled(const std::string& name) const {
  return file_ == nullptr ? std::nullopt : file_->recalled(name);
}

bool journal::resumes() const { return file_ != nullptr && file_->resumes(); }

std::uint64_t journal::restored() const { return file_ == nullptr ? 0 : file_->restored(); }

}  // namespace rankpool

// Files that tasks write in parts. The journal has two decisions for each: the path that it is written for, and its size once the
// temporary file exists. A missing temporary file is then finished or lost, and not created again without the parts in it.
#include <rankpool/result_file.hpp>

#include "files/file_calls.hpp"
#include "files/temporary_suffix.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rankpool {
namespace {

std::string purpose(const std::string& name) { return "result file " + name + ", path"; }
std::string creation(const std::string& name) { return "result file " + name + ", size"; }

std::string temporary_path(const journal& kept, const std::string& path) {
  return canonical_path(path) + detail::temporary_suffix(kept);
}

std::uint64_t size_of(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) detail::fail_to_write(errno, path);
  return static_cast<std::uint64_t>(status.st_size);
}

/// Opens or creates the temporary file of runs with a journal. Returns null if the file is finished.
std::unique_ptr<unfinished_file> open_kept(journal kept, written_files& written, const std::string& path, std::uint64_t size_bytes,
                                           const std::string& name) {
  const std::string canonical = canonical_path(path);
  if (const std::string first = kept.recall(purpose(name), canonical); first != canonical) {
    throw std::invalid_argument("an earlier run with the journal wrote parts of " + first + ", not of " + path +
                                "; continue with the former, or start a new journal");
  }
  const std::string temporary = temporary_path(kept, path);
  const auto created = kept.recalled(creation(name));
  if (created && !file_version::of(temporary)) {
    if (written.contains(path)) return nullptr;
    detail::fail_with_remedy(ENOENT, "cannot open " + temporary + ", which has the parts of " + path,
                             "start a new journal, because the parts that earlier runs with the journal wrote are lost");
  }
  auto file = std::make_unique<unfinished_file>(path, temporary);
  if (created && (*created != std::to_string(size_bytes) || size_of(file->descriptor(), temporary) != size_bytes)) {
    detail::fail_with_remedy(ESTALE, "cannot continue " + temporary + ", which has the parts of " + path + " and another size",
                             "start a new journal");
  }
  file->reserve(size_bytes);
  if (!created) {
    detail::sync_folder_of(temporary);  // parts count only if a crash of the system leaves their file
    kept.recall(creation(name), std::to_string(size_bytes));
  }
  return file;
}

}  // namespace

void result_writer::write(std::span<const std::byte> bytes, std::uint64_t offset) const {
  result_part part(*this);
  part.write(bytes, offset);
  part.finish();
}

result_part::result_part(const result_writer& file) : path_(file.path_), is_durable_(file.is_durable_) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0) detail::fail_to_write(errno, path_);
}

result_part::~result_part() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void result_part::write(std::span<const std::byte> bytes, std::uint64_t offset) const {
  detail::write_at(descriptor_, bytes, offset, path_);
}

void result_part::finish() {
  if (is_durable_ && ::fdatasync(descriptor_) != 0) detail::fail_to_write(errno, path_);
  if (::close(std::exchange(descriptor_, -1)) != 0) detail::fail_to_write(errno, path_);
}

result_file::result_file(const journal& kept, const std::string& path, std::uint64_t size_bytes, const result_file_options& options)
    : final_path_(path), overwrite_(options.overwrite), written_(kept) {
  if (written_.is_taken(path, overwrite_)) detail::fail_to_write(EEXIST, path);
  if (written_.has_journal()) {
    file_ = open_kept(kept, written_, path, size_bytes, options.name);
  } else {
    file_ = std::make_unique<unfinished_file>(path);
    file_->reserve(size_bytes);
  }
}

result_file::~result_file() = default;
result_file::result_file(result_file&&) noexcept = default;
result_file& result_file::operator=(result_file&&) noexcept = default;

result_writer result_file::writer() const {
  if (is_finished()) throw std::logic_error("result_file::writer: " + final_path_ + " is finished");
  result_writer writer;
  writer.path_ = file_->path();
  writer.is_durable_ = written_.has_journal();
  return writer;
}

void result_file::write(std::span<const std::byte> bytes, std::uint64_t offset) {
  if (is_finished()) throw std::logic_error("result_file::write: " + final_path_ + " is finished");
  detail::write_at(file_->descriptor(), bytes, offset, file_->path());
}

void result_file::finish() {
  if (is_finished()) return;
  if (!written_.has_journal()) detail::sync_file(file_->descriptor(), final_path_);  // a failing disk is found before the naming
  file_->finish(written_, overwrite_);
  file_.reset();
}

void result_file::discard() {
  if (!is_finished()) file_->discard();
}

void result_file::remove_unfinished(const journal& kept, const std::string& path, const std::string& name) {
  if (kept.recalled(creation(name))) ::unlink(temporary_path(kept, path).c_str());
}

}  // namespace rankpool

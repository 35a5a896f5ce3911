#include "engine/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unordered_map>
#include <utility>

#include "engine/job_run.hpp"
#include "engine/resumable.hpp"
#include "support/file_io.hpp"

namespace jobs {
namespace {

/// Returns whether the path is in /dev or /proc. There, no file can be created, and links such as open descriptors are not names
/// of files. Folders below /dev, such as /dev/shm, are ordinary folders.
bool is_device_path(const std::filesystem::path& path) {
  std::error_code error;
  const std::string folder =
      std::filesystem::weakly_canonical(std::filesystem::absolute(path, error).parent_path(), error).string();
  return folder == "/dev" || folder == "/proc" || folder.starts_with("/proc/");
}

/// Returns the path in /dev or /proc that `path` is, or that its symbolic links lead to; empty if there is none.
std::string device_of(const std::filesystem::path& path, int links = 0) {
  constexpr int max_links = 40;  // as many as Linux follows
  if (is_device_path(path)) return path.string();
  std::error_code error;
  const std::filesystem::path next = std::filesystem::read_symlink(path, error);
  return error || links == max_links ? std::string() : device_of(path.parent_path() / next, links + 1);
}

std::string text_of(const struct stat& status) { return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino); }

/// Identifies the directory entry that a rename would replace, whether or not the file exists.
std::string entry_of(const std::filesystem::path& path) {
  struct stat folder {};
  const std::string parent = path.parent_path().string();
  if (::stat(parent.empty() ? "." : parent.c_str(), &folder) != 0) return "no folder/" + path.string();
  return text_of(folder) + "/" + path.filename().string();
}

/// Identifies the regular file that this path opens, independently of its name; empty if there is none.
std::string contents_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) ? text_of(status) : std::string();
}

}  // namespace

void check_distinct(const std::vector<input_options>& inputs, const std::vector<output_options>& outputs) {
  std::unordered_map<std::string, const input_options*> read;
  for (const input_options& input : inputs) {
    const std::string path = input.is_stdin() ? "/proc/self/fd/0" : input.path;
    read.emplace(entry_of(rankpool::canonical_path(path)), &input);
    read.emplace(contents_of(path), &input);
  }
  std::unordered_map<std::string, const output_options*> written;
  const auto refuse = [](const output_options& output, const std::string& other) {
    const std::string name = output.path.empty() ? "standard output" : output.option + " " + output.path;
    throw usage_error(name + " and " + other + " are the same file; choose another file for the output");
  };
  for (const output_options& output : outputs) {
    // A stream is written to directly. For any other path, a new file replaces the directory entry.
    const bool is_stream = output.is_stream();
    const std::string place = is_stream ? contents_of(output.is_stdout() ? "/proc/self/fd/1" : output.path)  //
                                        : entry_of(rankpool::canonical_path(output.path));
    if (place.empty()) continue;
    if (const auto input = read.find(place); input != read.end()) {
      const auto& [path, option] = *input->second;
      const bool may_replace =
          !is_stream && output.journal.empty() && std::ranges::find(output.may_replace, path) != output.may_replace.end();
      if (!may_replace) refuse(output, input->second->is_stdin() ? input->second->name() : option + " " + path);
    }
    if (is_stream) continue;
    if (const auto [other, is_new] = written.emplace(place, &output); !is_new)
      refuse(output, other->second->option + " " + other->second->path);
  }
}

bool output_options::is_stdout() const {
  if (path.empty() || path == "-") return true;
  const std::string device = device_of(path);
  return device == "/dev/stdout" || device == "/dev/fd/1" || device == "/proc/self/fd/1";
}

bool output_options::is_stream() const {
  struct stat status {};
  return is_stdout() || !device_of(path).empty() ||
         (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
}

void output_options::check() const { check(force || resumable_options{.journal = journal}.resumes()); }

void output_options::check(bool may_exist) const {
  if (is_stdout()) return;
  const auto check_access = [&](const std::string& what, int mode, const char* suffix = "") {
    if (::access((what + suffix).c_str(), mode) == 0) return;
    throw usage_error(option + " " + path + " cannot be written: " + what + ": " + std::strerror(errno));
  };
  if (is_stream()) return check_access(path, W_OK);
  const std::string target = rankpool::canonical_path(path);
  std::error_code error;
  const bool exists = std::filesystem::exists(target, error);
  if (error) throw usage_error(option + " " + path + " cannot be written: " + error.message());
  if (std::filesystem::is_directory(target, error)) throw usage_error(option + " requires a file, but " + path + " is a folder");
  if (exists && !may_exist) {
    throw usage_error(option + " " + path + " exists already; --force replaces it");
  }
  if (!journal.empty()) check_distinct({{journal, "--journal"}}, {*this});
  const std::string folder = std::filesystem::path(target).parent_path().string();
  check_access(folder.empty() ? "." : folder, W_OK | X_OK, "/");  // "/" makes the error for a file "Not a directory"
}

void output_options::check(const rankpool::journal& open) const { check(force || rankpool::written_files(open).contains(path)); }

void output_options::check_for_workers() const {
  if (is_stream()) throw usage_error(option + " " + path + " is not a regular file; workers write this output in parallel");
  check();
}

output::output(const output_options& options, const rankpool::journal& journal)
    : name_(options.is_stdout() ? "standard output" : options.path), force_(options.force), written_(journal) {
  if (options.is_stdout()) {
    descriptor_ = STDOUT_FILENO;
  } else if (options.is_stream()) {
    // The path may be an open descriptor of a file that is not empty: append.
    descriptor_ = ::open(options.path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor_ < 0) fail(errno);
    owned_ = true;
  } else {
    try {
      descriptor_ = file_.emplace(options.path).descriptor();
    } catch (const std::system_error& error) {
      fail(error.code().value());
    }
  }
}

output::output(job_run& run, const output_options& options) : output(options, run.journal()) {
  if (options.is_stdout()) {
    run_ = &run;
  } else {
    if (options.option == output_options().option) run.report().add("output", options.path);
    options.check(run.journal());
  }
}

output::output(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

output::~output() {
  if (owned_) ::close(descriptor_);
}

void output::append(std::string_view text) {
  constexpr std::size_t long_bytes = 32 * 1024;  // for longer text, copying costs more than a system call
  if (text.size() > capacity_bytes - end_ || text.size() >= long_bytes) flush();
  if (text.size() >= long_bytes) return write_all(text);
  std::memcpy(&buffer_[end_], text.data(), text.size());
  end_ += text.size();
}

void output::append(const mpz_class& value) { append(std::string_view(value.get_str())); }

void output::flush() {
  // Empties the buffer first, so that after a failure nothing is written twice.
  const std::size_t end = std::exchange(end_, 0);
  write_all(std::string_view(buffer_.get(), end));
}

void output::finish() {
  flush();
  if (std::exchange(owned_, false) && ::close(descriptor_) != 0) fail(errno);
  try {
    if (file_) file_->finish(written_, force_);
  } catch (const std::system_error& error) {
    fail(error.code().value());
  }
}

void output::write_all(std::string_view bytes) {
  if (run_ != nullptr && run_->report().is_started()) return run_->report().add_lines(bytes);
  if (run_ != nullptr) run_->shown().make_way();
  if (const int error = jobs::write_all(descriptor_, bytes); error != 0) fail(error);
}

void output::fail(int error) const { throw output_error(error, std::generic_category(), "cannot write " + name_); }

}  // namespace jobs

#include "support/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "support/file_io.hpp"

namespace jobs {
namespace {

/// A device, a pipe or a socket: nothing that could be half-written under its final name.
bool is_stream(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

}  // namespace

void output_options::check() const {
  if (path.empty() || is_stream(path)) return;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw usage_error(option + " takes a file, and " + path + " is a folder");
  if (!force && std::filesystem::exists(path, error)) {
    throw usage_error(option + " " + path + " exists already; --force replaces it");
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string folder_name = folder.empty() ? "." : folder.string();
  if (::access(folder_name.c_str(), W_OK | X_OK) != 0) {
    throw usage_error(option + " " + path + " cannot be written: " + folder_name + ": " + std::strerror(errno));
  }
}

void add_output(CLI::App& job, output_options& options) {
  job.add_option("--output", options.path, "write the results to this file instead of stdout")->type_name("FILE");
  job.add_flag("--force", options.force, "replace the output file if it exists");
}

output::output(const output_options& options)
    : name_(options.path.empty() ? "standard output" : options.path), replace_(options.force) {
  if (options.path.empty()) {
    descriptor_ = STDOUT_FILENO;
  } else if (is_stream(options.path)) {
    descriptor_ = ::open(options.path.c_str(), O_WRONLY | O_CLOEXEC);
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

output::output(command_context& context, const output_options& options) : output(options) {
  if (options.path.empty()) {
    context_ = &context;
  } else {
    context.report.add("output", options.path);
  }
}

output::output(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

output::~output() {
  if (owned_) ::close(descriptor_);
}

void output::append(std::string_view text) {
  constexpr std::size_t long_bytes = 32 * 1024;  // from here on a copy costs more than a call
  if (text.size() > capacity_bytes - end_ || text.size() >= long_bytes) flush();
  if (text.size() >= long_bytes) return write_all(text);
  std::memcpy(&buffer_[end_], text.data(), text.size());
  end_ += text.size();
}

void output::append(const mpz_class& value) { append(std::string_view(value.get_str())); }

void output::flush() {
  // Emptied first: after a failure nothing is written twice.
  const std::size_t end = std::exchange(end_, 0);
  write_all(std::string_view(buffer_.get(), end));
}

void output::finish() {
  flush();
  if (std::exchange(owned_, false) && ::close(descriptor_) != 0) fail(errno);
  try {
    if (file_) file_->finish(replace_);
  } catch (const std::system_error& error) {
    fail(error.code().value());
  }
}

void output::write_all(std::string_view bytes) {
  if (context_ != nullptr && context_->report.is_started()) return context_->report.add_lines(bytes);
  if (context_ != nullptr) context_->shown.make_way();
  if (const int error = jobs::write_all(descriptor_, bytes); error != 0) fail(error);
}

void output::fail(int error) const { throw output_error(error, std::generic_category(), "cannot write " + name_); }

}  // namespace jobs

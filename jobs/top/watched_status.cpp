#include "top/watched_status.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "engine/run_figures.hpp"
#include "engine/status_file.hpp"
#include "support/in_quotes.hpp"

namespace jobs {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_silence = 5s;
constexpr auto clock_tolerance = 10s;  // between the clocks of two hosts

/// Makes an NFS client ask the server for the entries of the folder. Otherwise it may know the replaced file for half a minute.
void refresh_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) ::close(descriptor);
}

}  // namespace

void watched_status::read() {
  refresh_folder_of(path_);
  try {
    take(status_file::read(path_), clock::now(), std::chrono::system_clock::now());
  } catch (const status_error& error) {
    throw std::runtime_error(in_quotes(path_) + " " + error.what());
  }
}

void watched_status::take(const std::string& text, clock::time_point now, std::chrono::system_clock::time_point time) {
  is_missing_ = text.empty();
  if (is_missing_ || text == text_) return;
  const run_status read = run_status::parse(text);
  const std::chrono::nanoseconds age = time - read.updated;
  age_ = !last_ && age > clock_tolerance ? age : 0ns;
  changed_ = now;
  text_ = text;
  last_ = read;
}

std::string watched_status::notice(clock::time_point now) const {
  if (!last_ || has_ended()) return {};
  if (is_missing_) return "the file was removed: this is its last state";
  const std::chrono::nanoseconds silence = now - changed_ + age_;
  if (silence < longest_silence) return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
  const std::string time = seconds < 60 ? std::to_string(seconds) + " s" : clock_text(static_cast<double>(seconds));
  return "no update for " + time + ": the run may have been killed, or its file system is slow";
}

}  // namespace jobs

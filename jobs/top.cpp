// The command `top`: shows the state of a run, which the run writes to the file of --status, until the run has ended.
#include <unistd.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "engine/job.hpp"
#include "support/in_quotes.hpp"
#include "top/page.hpp"
#include "top/screen.hpp"
#include "top/watched_status.hpp"

namespace jobs {
namespace {

using namespace std::chrono_literals;

class top : public local_command {
  std::string file_;
  bool once_ = false;

  void declare(job_options& options) override {
    options.text("file", file_, "status file of a run: its option --status", "FILE").required();
    options.flag("--once", once_, "print the state once, also on a terminal, and exit");
    options.footer("On a terminal, the page is refreshed every second until the run has ended; q or Ctrl-C ends it earlier.");
  }

  void check(const run_settings&) override {}

  int run() override {
    watched_status watched(file_);
    watched.read();
    if (!once_ && ::isatty(STDOUT_FILENO) == 1) {
      if (const auto status = refresh_until_end(watched)) return *status;
    }
    if (!watched.last()) {
      throw std::runtime_error(in_quotes(file_) + " does not exist or is empty; a run writes it with --status " + in_quotes(file_));
    }
    output out;
    out.print(status_page(*watched.last(), watched.notice(watched_status::clock::now())));
    out.finish();
    return 0;
  }

  /// Shows the state until the run has ended. Returns the exit status if it was ended earlier.
  std::optional<int> refresh_until_end(watched_status& watched) const {
    constexpr auto interval = 1s;
    if (watched.has_ended()) return std::nullopt;
    screen terminal;
    while (!watched.has_ended()) {
      const page_size size = screen::size();
      terminal.show(watched.last()
                        ? status_page(*watched.last(), watched.notice(watched_status::clock::now()), size)
                        : cut_to("waiting for " + in_quotes(file_) + ", which a run writes with --status", size.columns));
      if (const auto status = terminal.wait(interval)) return status;
      watched.read();
    }
    return std::nullopt;
  }
};

const job_entry<top> top_entry("top", "state of a run that was started with --status, refreshed until the run has ended");

}  // namespace
}  // namespace jobs

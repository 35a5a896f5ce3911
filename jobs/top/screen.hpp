// The terminal while a command refreshes a page on it.
#pragma once

#include <termios.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

#include "top/page.hpp"

namespace jobs {

/// Shows pages on another screen of the terminal, without the cursor. The destructor restores the terminal. Signals that would end
/// the process end wait() instead. Stdout must be a terminal.
class screen {
 public:
  /// Throws: std::system_error, output_error.
  screen();
  ~screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  static page_size size();

  /// Throws: output_error.
  void show(const std::string& page) const;
  /// Waits until the time is over, or the terminal has another size. Returns the exit status if the user or a signal ends the
  /// command: 0 after q or Ctrl-C, 128+n after signal n.
  std::optional<int> wait(std::chrono::milliseconds time);

 private:
  std::optional<int> take_signal();
  std::optional<int> take_key();

  sigset_t earlier_mask_{};
  std::optional<termios> earlier_settings_;  // empty if stdin is not a terminal
  int signals_ = -1;
};

}  // namespace jobs

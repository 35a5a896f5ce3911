// The command `journal`: prints or exports the contents of a journal. It reads the file and runs no tasks.
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>

#include "engine/job.hpp"
#include "journal/export.hpp"
#include "journal/summary.hpp"
#include "support/in_quotes.hpp"
#include "support/numbers.hpp"

namespace jobs {
namespace {

/// Parses a number or "all". Throws: usage_error.
std::uint64_t number_or_all(const std::string& text) {
  constexpr unsigned long all = std::numeric_limits<unsigned long>::max();
  if (text == "all") return all;
  try {
    return parse_integer(text, 0, all).get_ui();
  } catch (const std::exception&) {
    throw usage_error("--failures requires a whole number or all, not " + in_quotes(text));
  }
}

class journal_command : public local_command {
  std::string file_;
  bool json_ = false;
  bool verify_ = false;
  std::string failures_ = "10";
  std::uint64_t slowest_ = 5;
  output_options exported_{.option = "--export"};
  std::string format_;

  void declare(job_options& options) override {
    options.text("file", file_, "journal to inspect (read-only; safe while a run writes to it)", "FILE").required();
    const auto json = options.flag("--json", json_, "print one JSON object");
    const auto verify = options.flag("--verify", verify_, "compare all results with their checksums").excludes(json);
    options.text("--failures", failures_, "number of failures to show, or all (default 10)", "N");
    options.number("--slowest", slowest_, "number of slowest tasks to show (default 5)");
    const auto exported = options.text("--export", exported_.path, "write the results to this file; - is stdout", "FILE")
                              .excludes(json)
                              .excludes(verify);
    options
        .choice("--format", format_, {"json", "csv"},
                "format of the results: json, csv (default: by the name of the file, else json)", "")
        .needs(exported);
    options.flag("--force", exported_.force, "replace the file of the results if it exists").needs(exported);
  }

  void check(const run_settings&) override {
    (void)number_or_all(failures_);
    if (exported_.path.empty()) return;
    check_distinct({{file_, "the journal"}}, {exported_});
    exported_.check();
  }

  int run() override {
    const rankpool::journal_reader journal(file_);
    if (!exported_.path.empty()) {
      export_results(journal);
      return 0;
    }
    output out;
    if (verify_) {
      print_verification(journal, out);
    } else {
      const summary_options shown{.file = file_, .failures = number_or_all(failures_), .slowest = slowest_};
      (json_ ? print_summary_json : print_summary)(out, journal, shown);
    }
    out.finish();
    return 0;
  }

  static void print_verification(const rankpool::journal_reader& journal, output& out) {
    journal.verify();
    std::uint64_t chunks = 0;
    for (const auto& call : journal.calls()) chunks += call.chunks;
    out.print("intact: ", chunks, " chunks match their checksums\n");
  }

  void export_results(const rankpool::journal_reader& journal) const {
    output out(exported_);
    const bool as_csv = format_.empty() ? exported_.path.ends_with(".csv") : format_ == "csv";
    (as_csv ? export_csv : export_json)(out, journal);
    out.finish();
    if (!journal.is_of_this_build()) {
      std::cerr << "rankpool journal: " << printable(file_) << " was written by another build of the program; values are omitted"
                << std::endl;
    }
  }
};

const job_entry<journal_command> journal_command_entry(
    "journal", "contents of a journal: progress of its run, failures, slow tasks; its results as JSON or CSV");

}  // namespace
}  // namespace jobs

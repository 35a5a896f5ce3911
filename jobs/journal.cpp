// The command `journal`: what is in a journal, and its results for other programs. It looks at the file and runs nothing.
#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
#include <string>

#include "journal/export.hpp"
#include "journal/summary.hpp"
#include "support/command.hpp"
#include "support/in_quotes.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  std::string file;
  bool json = false;
  bool verify = false;
  std::string failures = "10";
  std::uint64_t slowest = 5;
  output_options exported{.option = "--export"};
  std::string format;
};

/// A number or "all". Throws: usage_error.
std::uint64_t number_or_all(const std::string& text) {
  if (text == "all") return std::numeric_limits<std::uint64_t>::max();
  try {
    return parse_number<std::uint64_t>(text);
  } catch (const std::exception&) {
    throw usage_error("--failures takes a whole number or all, not " + in_quotes(text));
  }
}

int verify(const rankpool::journal_reader& journal, output& out) {
  journal.verify();
  std::uint64_t chunks = 0;
  for (const auto& call : journal.calls()) chunks += call.chunks;
  out.print("sound: ", chunks, " chunks are as they were written\n");
  out.finish();
  return 0;
}

int export_results(const rankpool::journal_reader& journal, const options& chosen) {
  output out(chosen.exported);
  const bool as_csv = chosen.format.empty() ? chosen.exported.path.ends_with(".csv") : chosen.format == "csv";
  (as_csv ? export_csv : export_json)(out, journal);
  out.finish();
  if (!journal.is_of_this_build()) {
    std::cerr << "rankpool journal: " << printable(chosen.file) << " is of another build of the program: its values are left out"
              << std::endl;
  }
  return 0;
}

int show(const options& chosen) {
  const rankpool::journal_reader journal(chosen.file);
  if (!chosen.exported.path.empty()) return export_results(journal, chosen);
  output out;
  if (chosen.verify) return verify(journal, out);
  const summary_options shown{.file = chosen.file, .failures = number_or_all(chosen.failures), .slowest = chosen.slowest};
  (chosen.json ? print_summary_json : print_summary)(out, journal, shown);
  out.finish();
  return 0;
}

void add_journal(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& command = add_command(
      app, context, "journal", "what is in a journal: how far its run is, failures, slow tasks; its results as JSON or CSV",
      [chosen] { return show(*chosen); },
      [chosen] {
        (void)number_or_all(chosen->failures);
        if (chosen->exported.path.empty()) return;
        check_distinct({{chosen->file, "the journal"}}, {chosen->exported});
        chosen->exported.check();
      });
  command.add_option("file", chosen->file, "the journal, which is left as it is, also while a run writes it")
      ->required()
      ->type_name("FILE");
  CLI::Option* json = command.add_flag("--json", chosen->json, "print one JSON object");
  CLI::Option* verify = command.add_flag("--verify", chosen->verify, "compare all of it with its checksums")->excludes(json);
  command.add_option("--failures", chosen->failures, "most failures to show, or all (default 10)")->type_name("N");
  add_number(command, "--slowest", chosen->slowest, "most of the slowest tasks to show (default 5)");
  CLI::Option* exported = command.add_option("--export", chosen->exported.path, "write the results to this file; - is stdout")
                              ->type_name("FILE")
                              ->excludes(json)
                              ->excludes(verify)
                              ->check([](const std::string& path) {
                                return std::string(path.empty() ? "takes the name of a file, not an empty one" : "");
                              });
  command.add_option("--format", chosen->format, "of the results: json, csv (default: by the file's name, else json)")
      ->needs(exported)
      ->check(CLI::IsMember({"json", "csv"}))
      ->type_name("");
  command.add_flag("--force", chosen->exported.force, "replace the results' file if it exists")->needs(exported);
}

const job_entry entry("journal", add_journal);

}  // namespace
}  // namespace jobs

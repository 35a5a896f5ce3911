#include "report/report.hpp"

#include <array>
#include <fstream>
#include <string_view>

#include "report/journal_data.hpp"
#include "report/page.hpp"
#include "report/trace_reader.hpp"

namespace jobs {
namespace {

bool is_database(const std::string& file) {
  constexpr std::string_view mark = "SQLite format 3";
  std::array<char, mark.size()> begin{};
  std::ifstream(file, std::ios::binary).read(begin.data(), begin.size());
  return std::string_view(begin.data(), begin.size()) == mark;
}

}  // namespace

void write_report(const std::string& source, const output_options& destination, bool is_kept) {
  run_data run = is_database(source) ? read_journal(source) : read_trace(source);
  if (!is_kept) run.file.clear();
  const std::string page = page_of(run);
  output out(destination);
  out.print(std::string_view(page));
  out.finish();
}

}  // namespace jobs

// The command `report`: writes a page about a run, from its trace or its journal. It runs no tasks.
#include "report/report.hpp"

#include <string>

#include "engine/job.hpp"

namespace jobs {
namespace {

class report_command : public local_command {
  std::string source_;
  output_options page_{.option = "--output"};

  void declare(job_options& options) override {
    options
        .text("file", source_, "trace (--trace) or journal (--journal) of the run; also of one that was killed or still runs",
              "FILE")
        .required();
    options.text("-o,--output", page_.path, "HTML file to write (default: stdout)", "FILE");
    options.flag("--force", page_.force, "replace the HTML file if it exists");
  }

  void check(const run_settings&) override {
    check_distinct({{source_, "the trace or journal"}}, {page_});
    page_.check();
  }

  int run() override {
    write_report(source_, page_);
    return 0;
  }
};

const job_entry<report_command> report_command_entry(
    "report", "page about a run, from its trace or journal: what each worker did when, what cost time, failures");

}  // namespace
}  // namespace jobs

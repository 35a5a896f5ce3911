#include "engine/result_output.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace jobs {

rankpool::result_file open_result_file(job_run& run, std::uint64_t bytes) {
  const output_options& options = run.settings().output;
  try {
    rankpool::result_file file(run.journal(), options.path, bytes, {.overwrite = options.force});
    if (file.is_finished()) run.note(options.path + " was finished by an earlier run with the journal " + run.journal_name());
    return file;
  } catch (const std::system_error& error) {
    if (error.code().value() != EEXIST) throw;
    throw usage_error(options.option + " " + options.path + " exists already; --force replaces it");
  } catch (const std::invalid_argument& error) {
    throw usage_error(error.what());
  }
}

}  // namespace jobs

#include "support/result_output.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace jobs {

rankpool::result_file open_result_file(command_context& context, const output_options& options, std::uint64_t bytes) {
  try {
    rankpool::result_file file(context.journal, options.path, bytes, {.overwrite = options.force});
    if (file.is_finished())
      context.note(options.path + " was finished by an earlier run with the journal " + context.resumable.journal);
    return file;
  } catch (const std::system_error& error) {
    if (error.code().value() != EEXIST) throw;
    throw usage_error(options.option + " " + options.path + " exists already; --force replaces it");
  } catch (const std::invalid_argument& error) {
    throw usage_error(error.what());
  }
}

}  // namespace jobs

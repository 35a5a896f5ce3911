#include "image/picture_task.hpp"

#include <new>
#include <rankpool/rankpool.hpp>
#include <system_error>

#include "image/filters.hpp"
#include "image/input_file.hpp"
#include "image/picture_names.hpp"
#include "image/strip_stream.hpp"
#include "image/verification.hpp"

namespace jobs {

std::uint32_t picture_settings::strip_rows_for(const picture_layout& layout, picture_format to) const {
  constexpr std::uint64_t about_bytes = 1ULL << 20, most_bytes = 1ULL << 30;
  const std::uint64_t unit = encode_as(to).row_unit();
  const std::uint64_t wanted = rows != 0 ? rows : std::max<std::uint64_t>(about_bytes / layout.row_bytes(), 2 * what.halo());
  const std::uint64_t most_units = most_bytes / layout.row_bytes() / unit;
  const std::uint64_t units = std::max<std::uint64_t>(std::min((wanted + unit - 1) / unit, most_units), 1);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(units * unit, layout.height));
}

encoding picture_settings::encoding_for(const picture_files& files, const picture_reader& from) const {
  const encoding how = encode_as(files.format_for(from.format()));
  if (const std::string reason = reason_against(files.output, how.format); !reason.empty())
    throw picture_error(files.output + ": " + reason);
  if (const std::string reason = reason_against(how, what.result_of(from.layout())); !reason.empty())
    throw picture_error(files.input + ": " + reason);
  return how;
}

RANKPOOL_REGISTER_EXCEPTION(picture_failure)
RANKPOOL_REGISTER_EXCEPTION(wrong_picture)

void rethrow_as_failure(const picture_files& files, const picture_layout& layout) {
  try {
    throw;
  } catch (const picture_failure&) {
    throw;
  } catch (const picture_error& error) {
    throw picture_failure(error.what());
  } catch (const std::system_error& error) {
    throw picture_failure("cannot write " + files.output + ": " + error.code().message());
  } catch (const std::bad_alloc&) {
    const std::string size =
        layout == picture_layout() ? "it" : std::to_string(layout.width) + " x " + std::to_string(layout.height) + " pixels";
    throw picture_failure(files.input + ": not enough memory for " + size);
  } catch (const rankpool::remote_error& error) {  // an exception thrown by a task
    throw picture_failure(files.input + ": " + error.what());
  } catch (const rankpool::worker_lost& error) {  // with --isolate
    throw picture_failure(files.input + ": " + error.what());
  } catch (const rankpool::timeout_error& error) {
    throw picture_failure(files.input + ": " + error.what());
  } catch (const rankpool::error&) {
    throw;
  } catch (const std::exception& error) {
    throw picture_failure(files.input + ": " + error.what());
  }
}

std::string result_exists(const picture_files& files) { return files.output + " exists already; --force replaces it"; }

picture_result process_picture(const picture_settings& settings, const picture_files& files) {
  picture_layout layout;
  try {
    const auto reader = open_picture(files.input);
    layout = reader->layout();
    if (settings.split_from != 0 && layout.pixels() >= settings.split_from) return {.pixels = layout.pixels(), .is_left = true};
    const picture_layout result = settings.what.result_of(layout);
    const encoding how = settings.encoding_for(files, *reader);

    rankpool::item_file out(files.target);
    picture_joiner joiner(how, result, kept_metadata(*reader, how, result));
    out.write(joiner.start());
    strip_stream strips(*reader, settings.strip_rows_for(layout, how.format), settings.what.halo());
    while (strips.next()) {
      const strip_samples filtered = filter_strip(settings.what, strips.strip(), strips.samples());
      const strip_rows rows{result, strips.strip().first, strips.strip().rows};
      out.write(joiner.part(encode_strip(how, rows, filtered.data())));
    }
    out.write(joiner.end());
    if (settings.verify) {
      if (const std::string wrong = difference(settings, files, out.temporary_path()); !wrong.empty()) throw wrong_picture(wrong);
    }
    const file_version now = reader->version();
    if (files.target.is_durable() && files.target.input() != rankpool::file_version{now.bytes, now.seconds, now.nanoseconds})
      throw picture_error(files.input + ": has changed while it was read; run it again");
    return {.pixels = layout.pixels(), .version = out.finish()};
  } catch (...) {
    rethrow_as_failure(files, layout);
  }
}

}  // namespace jobs

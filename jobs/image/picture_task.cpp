#include "image/picture_task.hpp"

#include <system_error>

#include "image/filters.hpp"
#include "image/picture_names.hpp"
#include "image/strip_stream.hpp"
#include "image/verification.hpp"
#include "support/output.hpp"

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

picture_outcome failure(const picture_files& files, const picture_layout& layout) {
  constexpr auto failed = picture_outcome::kind::failed;
  try {
    throw;
  } catch (const picture_error& error) {
    return {failed, error.what(), 0};
  } catch (const std::system_error& error) {
    return {failed, "cannot write " + files.output + ": " + error.code().message(), 0};
  } catch (const std::bad_alloc&) {
    const std::string size =
        layout == picture_layout() ? "it" : std::to_string(layout.width) + " x " + std::to_string(layout.height) + " pixels";
    return {failed, files.input + ": there is not enough memory for " + size, 0};
  } catch (const std::exception& error) {
    return {failed, files.input + ": " + error.what(), 0};
  }
}

picture_outcome process_picture(const picture_settings& settings, const picture_files& files) {
  using kind = picture_outcome::kind;
  picture_layout layout;
  try {
    const auto reader = open_picture(files.input);
    layout = reader->layout();
    if (settings.split_from != 0 && layout.pixels() >= settings.split_from) return {kind::left, {}, layout.pixels()};
    const picture_layout result = settings.what.result_of(layout);
    const encoding how = settings.encoding_for(files, *reader);

    output out({.path = files.output, .force = settings.replace});
    picture_joiner joiner(how, result, kept_metadata(*reader, how, result));
    out.print(joiner.start());
    strip_stream strips(*reader, settings.strip_rows_for(layout, how.format), settings.what.halo());
    while (strips.next()) {
      const strip_samples filtered = filter_strip(settings.what, strips.strip(), strips.samples());
      const strip_rows rows{result, strips.strip().first, strips.strip().rows};
      out.print(joiner.part(encode_strip(how, rows, filtered.data())));
    }
    out.print(joiner.end());
    out.flush();
    if (settings.verify) {
      if (std::string wrong = difference(settings, files, out.temporary_path()); !wrong.empty())
        return {kind::wrong, std::move(wrong), layout.pixels()};
    }
    out.finish();
    return {kind::done, {}, layout.pixels()};
  } catch (const std::exception&) {
    return failure(files, layout);
  }
}

}  // namespace jobs

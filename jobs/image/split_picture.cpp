#include "image/split_picture.hpp"

#include <memory>
#include <sstream>
#include <utility>

#include "image/filters.hpp"
#include "image/strip_stream.hpp"
#include "image/verification.hpp"
#include "support/file_io.hpp"
#include "support/output.hpp"
#include "support/result_queue.hpp"

namespace jobs {
namespace {

/// What a task needs beside its strip.
struct strip_work {
  operation what;
  encoding how;
  std::string input;     // a file to read the rows from; empty: they were sent
  file_version version;  // of that file
  std::string output;    // a file to write the rows to; empty: they are sent back
  std::uint64_t output_offset = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& what& how& input& version& output& output_offset;
  }
};

strip_samples read_strip(const strip_work& work, const strip_rows& strip) {
  const auto reader = open_picture(work.input);
  const auto expect_unchanged = [&] {
    if (reader->version() != work.version || reader->layout() != strip.layout || !reader->can_skip())
      throw picture_error(work.input + ": has changed while it was read; run it again");
  };
  expect_unchanged();
  reader->skip_to(strip.first - strip.above);
  const std::size_t row_bytes = strip.layout.row_bytes();
  strip_samples samples(strip.stored_rows() * row_bytes);
  for (std::size_t y = 0; y < strip.stored_rows(); ++y) reader->read_row(samples.data() + y * row_bytes);
  expect_unchanged();
  return samples;
}

encoded_strip process_samples(const strip_work& work, const strip_rows& strip, const strip_samples& samples) {
  const strip_samples filtered = filter_strip(work.what, strip, samples.data());
  const strip_rows rows{work.what.result_of(strip.layout), strip.first, strip.rows};
  encoded_strip encoded = encode_strip(work.how, rows, filtered.data());
  if (work.output.empty()) return encoded;
  file out(work.output, file::mode::write);
  out.write(std::as_bytes(std::span(encoded.bytes)), work.output_offset + rows.layout.row_bytes() * rows.first);
  out.close();
  return {};
}

encoded_strip process_file_strip(const strip_work& work, const strip_rows& strip) {
  return process_samples(work, strip, read_strip(work, strip));
}

RANKPOOL_REGISTER_EXCEPTION(picture_error)

std::string verify_picture(const picture_settings& settings, const picture_files& files, const std::string& written) {
  return difference(settings, files, written);
}

std::string text_of(const file_version& version) {
  std::ostringstream text;
  text << version.inode << ' ' << version.bytes << ' ' << version.seconds << ' ' << version.nanoseconds;
  return text.str();
}

// The open result. In a run with a journal, the journal notes it.
std::unique_ptr<output> open_result(command_context& context, const picture_settings& settings, const picture_files& files) {
  const output_options to{.path = files.output, .force = settings.replace, .option = "the result"};
  return to.is_stdout() ? std::make_unique<output>(to) : std::make_unique<output>(context, to);
}

}  // namespace

std::uint64_t split_picture(rankpool::executor& pool, command_context& context, const picture_settings& settings,
                            const picture_files& files, const std::function<void(std::uint64_t, std::uint64_t)>& strips_done) {
  const bool has_journal = !context.resumable.journal.empty();
  picture_layout layout;
  try {
    const auto reader = open_picture(files.input);
    layout = reader->layout();
    const file_version version = reader->version();
    const picture_layout result = settings.what.result_of(layout);
    const encoding how = settings.encoding_for(files, *reader);
    const std::string input = "input of " + canonical_path(files.output);  // what the journal has under this name
    const auto finished_with = context.journal.recalled(input);
    if (finished_with == text_of(version) && has_written(context.journal, files.output)) return layout.pixels();

    const auto out = open_result(context, settings, files);
    picture_joiner joiner(how, result, kept_metadata(*reader, how, result));
    const std::string start = joiner.start();
    out->print(start);
    strip_work work{settings.what, how, {}, {}, {}, start.size()};
    if (how.format == picture_format::pnm && !has_journal) {
      out->flush();
      work.output = out->temporary_path();
      out->reserve(start.size() + result.row_bytes() * result.height);
    }

    const std::uint32_t rows = settings.strip_rows_for(layout, how.format);
    const std::uint64_t strips = (std::uint64_t{layout.height} + rows - 1) / rows;
    std::uint64_t done = 0;
    const auto take = [&](rankpool::future<encoded_strip>&& submitted, const auto&) {
      encoded_strip strip = std::move(submitted).result();
      if (work.output.empty()) out->print(joiner.part(std::move(strip)));
      strips_done(++done, strips);
    };
    // Tasks of their own: a journal then knows a strip by its arguments, whichever other pictures were split before.
    result_queue<encoded_strip> outstanding(3 * static_cast<std::size_t>(pool.num_workers()) + 1, take);
    if (reader->can_skip()) {
      work.input = files.input;
      work.version = version;
      for (std::uint64_t i = 0; i < strips; ++i) {
        const auto strip = strip_rows::at(layout, static_cast<std::uint32_t>(i * rows), rows, settings.what.halo());
        outstanding.add(pool.submit(process_file_strip, work, strip));
      }
    } else {
      strip_stream sent(*reader, rows, settings.what.halo());
      for (auto&& [strip, samples] : sent) outstanding.add(pool.submit(process_samples, work, strip, std::move(samples)));
    }
    outstanding.finish();
    out->print(joiner.end());
    out->flush();
    if (settings.verify) {
      const std::string wrong = pool.submit(verify_picture, settings, files, out->temporary_path()).result();
      if (!wrong.empty()) throw wrong_picture(wrong);
    }
    if (reader->version() != version) throw picture_error(files.input + ": has changed while it was read; run it again");
    out->finish();
    if (has_journal) context.journal.recall(input, text_of(version));
    return layout.pixels();
  } catch (const usage_error& error) {  // the result must not be replaced
    throw picture_failure(error.what());
  } catch (const output_error&) {
    if (output_options{.path = files.output}.is_stdout()) throw;  // ends the run, as it ends every job
    rethrow_as_failure(files, layout);
  } catch (...) {
    rethrow_as_failure(files, layout);
  }
}

}  // namespace jobs

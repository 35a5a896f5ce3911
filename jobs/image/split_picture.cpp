#include "image/split_picture.hpp"

#include <ranges>
#include <system_error>

#include "image/filters.hpp"
#include "image/strip_stream.hpp"
#include "image/verification.hpp"
#include "support/file_io.hpp"
#include "support/output.hpp"

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

}  // namespace

picture_outcome split_picture(rankpool::executor& pool, const picture_settings& settings, const picture_files& files,
                              const std::function<void(std::uint64_t, std::uint64_t)>& strips_done) {
  using kind = picture_outcome::kind;
  picture_layout layout;
  try {
    const auto reader = open_picture(files.input);
    layout = reader->layout();
    const picture_layout result = settings.what.result_of(layout);
    const encoding how = settings.encoding_for(files, *reader);

    output out({.path = files.output, .force = settings.replace});
    picture_joiner joiner(how, result, kept_metadata(*reader, how, result));
    const std::string start = joiner.start();
    out.print(start);
    strip_work work{settings.what, how, {}, {}, {}, start.size()};
    if (how.format == picture_format::pnm) {
      out.flush();
      work.output = out.temporary_path();
      out.reserve(start.size() + result.row_bytes() * result.height);
    }

    const std::uint32_t rows = settings.strip_rows_for(layout, how.format);
    const std::uint64_t strips = (std::uint64_t{layout.height} + rows - 1) / rows;
    std::uint64_t done = 0;
    const auto take = [&](encoded_strip&& strip) {
      if (work.output.empty()) out.print(joiner.part(std::move(strip)));
      strips_done(++done, strips);
    };
    const rankpool::map_options in_flight{.chunksize = 1, .buffersize = 3 * pool.num_workers() + 1};
    if (reader->can_skip()) {
      work.input = files.input;
      work.version = reader->version();
      const auto all = std::views::iota(std::uint64_t{0}, strips) | std::views::transform([&](std::uint64_t i) {
                         return strip_rows::at(layout, static_cast<std::uint32_t>(i * rows), rows, settings.what.halo());
                       });
      for (auto&& strip : pool.map(in_flight, rankpool::partial(process_file_strip, work), all)) take(std::move(strip));
    } else {
      strip_stream sent(*reader, rows, settings.what.halo());
      for (auto&& strip : pool.starmap(in_flight, rankpool::partial(process_samples, work), sent)) take(std::move(strip));
    }
    out.print(joiner.end());
    out.flush();
    if (settings.verify) {
      std::string wrong = pool.submit(verify_picture, settings, files, out.temporary_path()).result();
      if (!wrong.empty()) return {kind::wrong, std::move(wrong), layout.pixels()};
    }
    out.finish();
    return {kind::done, {}, layout.pixels()};
  } catch (const output_error&) {
    if (output_options{.path = files.output}.is_stdout()) throw;  // ends the run, as it ends every job
    return failure(files, layout);
  } catch (const rankpool::broken_pool&) {  // nor will it do any other picture
    throw;
  } catch (const rankpool::worker_lost&) {
    throw;
  } catch (const std::exception&) {  // also what a task has thrown
    return failure(files, layout);
  }
}

}  // namespace jobs

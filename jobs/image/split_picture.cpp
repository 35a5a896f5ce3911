#include "image/split_picture.hpp"

#include <optional>
#include <rankpool/result_file.hpp>
#include <sstream>
#include <utility>

#include "engine/output.hpp"
#include "image/filters.hpp"
#include "image/input_file.hpp"
#include "image/strip_stream.hpp"
#include "image/verification.hpp"
#include "support/result_queue.hpp"

namespace jobs {
namespace {

/// The arguments of a task that all strips of a picture share.
struct strip_work {
  operation what;
  encoding how;
  std::string input;               // file to read the rows from; empty: the task receives the rows
  file_version version;            // version of `input`
  rankpool::result_writer output;  // file to write the rows to; without a file, the task returns the rows
  std::uint64_t output_offset = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& what& how& input& version& output& output_offset;
  }
};

strip_samples read_strip(const strip_work& work, const strip_rows& strip) {
  const auto reader = open_picture(work.input);
  const auto expect_unchanged = [&] {
    const file_version now = reader->version();
    if ((work.version.inode == 0 ? now.without_inode() : now) != work.version || reader->layout() != strip.layout ||
        !reader->can_skip())
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
  if (work.output.path().empty()) return encoded;
  work.output.write(std::as_bytes(std::span(encoded.bytes)), work.output_offset + rows.layout.row_bytes() * rows.first);
  return {};
}

encoded_strip process_file_strip(const strip_work& work, const strip_rows& strip) {
  return process_samples(work, strip, read_strip(work, strip));
}

RANKPOOL_REGISTER_EXCEPTION(picture_error)

// `version` identifies the result. It is an argument so that the journal never applies this verdict to another result.
std::string verify_picture(const picture_settings& settings, const picture_files& files, const std::string& written,
                           const file_version& /*version*/) {
  return difference(settings, files, written);
}

std::string text_of(const file_version& version) {
  std::ostringstream text;
  text << version.bytes << ' ' << version.seconds << ' ' << version.nanoseconds;
  return text.str();
}

// The journal's record of a split picture: the versions of its result. Each later version replaced a lost result.
class split_history {
 public:
  split_history(const rankpool::journal& journal, const picture_files& files, const file_version& input)
      : journal_(journal), files_(files), name_("split " + files.output + " of " + text_of(input) + ", result ") {
    for (; const auto known = journal_.recalled(name_ + std::to_string(results_)); ++results_) {
      const auto now = version_of(files_.output);
      is_finished_ = is_finished_ || (now && text_of(*now) == *known);
    }
  }

  /// Returns whether the result of an earlier run still exists.
  bool is_finished() const { return is_finished_; }
  /// Records a result before the file gets its final name. Throws: journal_error.
  void add_result(const file_version& version) { journal_.recall(name_ + std::to_string(results_), text_of(version)); }

 private:
  rankpool::journal journal_;
  const picture_files& files_;
  std::string name_;
  int results_ = 0;
  bool is_finished_ = false;
};

}  // namespace

std::uint64_t split_picture(rankpool::executor& pool, const rankpool::journal& journal, bool overwrite,
                            const picture_settings& settings, const picture_files& files,
                            const std::function<void(std::uint64_t, std::uint64_t)>& strips_done) {
  const bool is_kept = files.target.is_durable();
  picture_layout layout;
  try {
    const auto reader = open_picture(files.input);
    layout = reader->layout();
    const file_version version = reader->version();
    const picture_layout result = settings.what.result_of(layout);
    const encoding how = settings.encoding_for(files, *reader);
    split_history history(journal, files, version);
    if (history.is_finished()) return layout.pixels();
    if (!files.is_stream() && rankpool::written_files(journal).is_taken(files.output, overwrite))
      throw picture_failure(result_exists(files));

    picture_joiner joiner(how, result, kept_metadata(*reader, how, result));
    const std::string start = joiner.start();
    strip_work work{settings.what, how, {}, {}, {}, start.size()};
    std::optional<rankpool::result_file> parts;  // written by workers
    std::optional<output> joined;                // written by rank 0
    if (how.format == picture_format::pnm && !is_kept && !files.is_stream()) {
      parts.emplace(rankpool::journal(), files.output, start.size() + result.row_bytes() * result.height,
                    rankpool::result_file_options{.overwrite = overwrite});
      parts->write(std::as_bytes(std::span(start)), 0);
      work.output = parts->writer();
    } else {
      joined.emplace(output_options{.path = files.output, .force = overwrite}, is_kept ? journal : rankpool::journal());
      joined->print(start);
    }
    const std::string path = parts ? parts->path() : joined->temporary_path();

    const std::uint32_t rows = settings.strip_rows_for(layout, how.format);
    const std::uint64_t strips = (std::uint64_t{layout.height} + rows - 1) / rows;
    std::uint64_t done = 0;
    const auto take = [&](rankpool::future<encoded_strip>&& submitted, const auto&) {
      encoded_strip strip = std::move(submitted).result();
      if (joined) joined->print(joiner.part(std::move(strip)));
      strips_done(++done, strips);
    };
    // Each strip is a submitted task: the journal finds it by its arguments, whichever other pictures were split before.
    result_queue<encoded_strip> outstanding(3 * static_cast<std::size_t>(pool.num_workers()) + 1, take);
    if (reader->can_skip()) {
      work.input = files.input;
      work.version = is_kept ? version.without_inode() : version;
      for (std::uint64_t i = 0; i < strips; ++i) {
        const auto strip = strip_rows::at(layout, static_cast<std::uint32_t>(i * rows), rows, settings.what.halo());
        outstanding.add(pool.submit(process_file_strip, work, strip));
      }
    } else {
      strip_stream sent(*reader, rows, settings.what.halo());
      for (auto&& [strip, samples] : sent) outstanding.add(pool.submit(process_samples, work, strip, std::move(samples)));
    }
    outstanding.finish();
    if (joined) {
      joined->print(joiner.end());
      joined->flush();
    }
    if (settings.verify) {
      const std::string wrong = pool.submit(verify_picture, settings, files, path, version_of(path).value_or(version)).result();
      if (!wrong.empty()) throw wrong_picture(wrong);
    }
    if (reader->version() != version) throw picture_error(files.input + ": has changed while it was read; run it again");
    if (const auto made = version_of(path); is_kept && made) history.add_result(*made);
    parts ? parts->finish() : joined->finish();
    return layout.pixels();
  } catch (const output_error&) {
    if (output_options{.path = files.output}.is_stdout()) throw;  // an unwritable stdout ends the run, as in every job
    rethrow_as_failure(files, layout);
  } catch (...) {
    rethrow_as_failure(files, layout);
  }
}

}  // namespace jobs

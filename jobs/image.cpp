// Example 9: the chunks of a simulated image. With INPUT, filters pictures: many pictures one per task, a large picture by strips.
//
// Tasks read and write the files. A picture that cannot be processed is reported, and the run continues with the others.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <ranges>
#include <rankpool/result_files.hpp>
#include <rankpool/written_files.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/job.hpp"
#include "image/operation.hpp"
#include "image/picture_names.hpp"
#include "image/picture_task.hpp"
#include "image/split_picture.hpp"
#include "image/tally.hpp"
#include "support/closed_form.hpp"
#include "support/decimal.hpp"
#include "support/in_quotes.hpp"
#include "support/power_sums.hpp"
#include "support/result_queue.hpp"

namespace jobs {
namespace {

mpz_class process_chunk(std::uint64_t size) { return add_squares({0, size - 1}); }

/// Processes pictures, one per task.
class whole_pictures {
 public:
  whole_pictures(job_run& run, const picture_settings& settings, rankpool::result_files& results, tally& all)
      : run_(run), settings_(settings), results_(results), all_(all) {}

  /// Processes the small pictures. Returns the others, which are large enough to be split, unprocessed. Throws: errors of the pool;
  /// after stopped_error, the finished results have their final names.
  std::vector<picture_files> process(std::vector<picture_files> pictures) {
    try {
      while (!pictures.empty()) {
        for (const picture_files& files : std::exchange(pictures, {})) submit(files);
        outstanding_.finish();
        results_.finish();
        pictures = std::exchange(lost_, {});
      }
    } catch (const rankpool::stopped_error&) {
      results_.finish();
      throw;
    }
    return std::exchange(large_, {});
  }

 private:
  struct submitted_picture {
    picture_files files;
    bool is_restored = false;  // the result comes from the journal
  };
  static constexpr std::size_t most_outstanding = 1 << 14;

  void submit(const picture_files& files) {
    if (run_.failures().is_reached()) return all_.add_left_out();
    if (results_.is_taken(files.target)) {
      run_.failures().count();
      return all_.add_failure(result_exists(files));
    }
    rankpool::future<picture_result> submitted;
    all_.add_from([&] { submitted = run_.pool().submit(process_picture, settings_, files); });
    if (!submitted.valid()) return;
    const bool is_restored = submitted.done();
    run_.failures().watch(submitted);
    outstanding_.add(std::move(submitted), {files, is_restored});
  }

  void take(const submitted_picture& submitted, const picture_result& result) {
    const picture_files& files = submitted.files;
    if (result.is_left) {
      large_.push_back(files);
      return;
    }
    const auto named = [this, files, pixels = result.pixels](std::error_code error) {
      if (!error) return all_.add(pixels);
      run_.failures().count();
      all_.add_failure(problem_of(files, error));
    };
    if (results_.accept(files.target, result.version, named)) return;
    if (!submitted.is_restored) {
      run_.failures().count();
      throw picture_failure(problem_of(files, std::error_code(ESTALE, std::generic_category())));
    }
    lost_.push_back(files);
  }

  /// Returns why the result did not get its final name.
  static std::string problem_of(const picture_files& files, std::error_code error) {
    if (error.value() == EEXIST) return result_exists(files);
    if (error.value() == ESTALE) return files.output + ": its unfinished file was changed or removed; run it again";
    return "cannot write " + files.output + ": " + error.message();
  }

  job_run& run_;
  const picture_settings settings_;
  rankpool::result_files& results_;
  tally& all_;
  std::vector<picture_files> large_;
  std::vector<picture_files> lost_;  // the journal has a result whose file was changed or removed
  result_queue<picture_result, submitted_picture> outstanding_{
      most_outstanding, [this](auto&& processed, const auto& submitted) {
        all_.add_from([&] { take(submitted, result_of(std::move(processed), submitted.files)); });
      }};

  /// Throws: picture_failure also if the task has ended its process or exceeded its time.
  static picture_result result_of(rankpool::future<picture_result>&& processed, const picture_files& files) {
    try {
      return std::move(processed).result();
    } catch (const rankpool::worker_lost&) {
      rethrow_as_failure(files, {});
    } catch (const rankpool::timeout_error&) {
      rethrow_as_failure(files, {});
    }
  }
};

double parse_sigma(const std::string& text) {
  try {
    const double sigma = parse_decimal(text);
    if (sigma >= 0.1 && sigma <= operation::most_radius / 3.0) return sigma;
  } catch (const std::invalid_argument&) {
  }
  throw usage_error("--sigma requires a number from 0.1 to 333.3, not " + in_quotes(text));
}

class image : public job {
  // Options of the simulated image.
  std::int64_t chunks_ = 4;
  std::int64_t size_ = 1000;
  // Options of pictures.
  std::string operation_name_;
  std::uint32_t radius_ = 0;  // 0: not given
  std::string sigma_;
  std::uint64_t split_from_ = 16'000'000;
  int quality_ = 92;
  int compression_ = 4;
  picture_request request_;
  operation what_;

  void declare(job_options& options) override {
    const auto inputs = options.texts("input", request_.inputs, "PNG, JPEG or PNM files, or folders of them", "FILE_OR_FOLDER")
                            .identified_by([this] {
                              std::vector<std::string> paths = request_.inputs;
                              std::ranges::transform(paths, paths.begin(), rankpool::canonical_path);
                              return identity_of_list(paths);
                            });
    options.choice("--op", operation_name_, {"grayscale", "box", "gaussian", "sobel"},
                   "the filter: grayscale, box or gaussian (blurs), or sobel (edges, gray)", "OPERATION");
    options.number("--radius", radius_, "radius of a blur, in pixels (default for gaussian: 3 sigma)", 1, operation::most_radius)
        .needs(inputs);
    options.text("--sigma", sigma_, "standard deviation of the Gaussian, in pixels", "NUMBER").needs(inputs);
    options
        .choice("--format", request_.format, {"png", "jpeg", "pnm"}, "format of the results (default: that of the input)", "FORMAT")
        .needs(inputs);
    options.number("--quality", quality_, "of a JPEG (default 92)", 1, 100).needs(inputs);
    options.number("--compression", compression_, "of a PNG, from 1 (fast) to 9 (small) (default 4)", 1, 9).needs(inputs);
    options.number("--split-from", split_from_, "split a picture of this many pixels or more over all workers (default 16e6)", 1)
        .needs(inputs)
        .without_effect();
    options.chunksize("rows of a split picture in a task, rounded up to a multiple of 16 (JPEG: 128)").needs(inputs);
    options.verify_in_tasks(
        "read the results again and compute pixels of every strip again; compare simulated chunks with the closed form");
    options.output("the result of one picture (-: stdout), or a folder for results with the names of their inputs",
                   "FILE_OR_FOLDER", "replace results that exist");
    options.max_failures(
        "start no more pictures after this many have failed (default: no limit); a failed simulated chunk always ends the run");
    options.number("--chunks", chunks_, "number of simulated chunks (default 4)", 1, 1'000'000'000).excludes(inputs);
    options.number("--size", size_, "pixels in a simulated chunk (default 1000)", 1, 1'000'000'000'000).excludes(inputs);
  }

  void check(const run_settings& settings) override {
    request_.output = settings.output.path;
    request_.force = settings.output.force;
    request_.journal = settings.resumable.journal;
    if (request_.inputs.empty()) {
      if (!operation_name_.empty()) throw usage_error("--op " + operation_name_ + " requires pictures as arguments, and --output");
      settings.output.check();
      return;
    }
    what_ = chosen_operation();
    if (request_.output.empty()) throw usage_error("pictures require --output, a file or a folder");
    const picture_plan plan = plan_pictures(request_, what_);
    const std::string output = "--output " + request_.output;
    if (plan.is_stream && settings.verify)
      throw usage_error("--verify reads the result again, and " + output + " is not a regular file");
    if (plan.is_stdout && settings.json)
      throw usage_error("--json and " + output + " both write to standard output; choose a file");
  }

  operation chosen_operation() const {
    operation what;
    const std::string& name = operation_name_;
    if (name.empty()) throw usage_error("pictures require --op: grayscale, box, gaussian or sobel");
    what.radius = radius_;
    if (name == "box") {
      what.kind = operation_kind::box;
      if (what.radius == 0) throw usage_error("--op box requires --radius, in pixels");
    } else if (name == "gaussian") {
      what.kind = operation_kind::gaussian;
      if (sigma_.empty()) throw usage_error("--op gaussian requires --sigma, in pixels");
      const double sigma = parse_sigma(sigma_);
      if (what.radius == 0) what.radius = static_cast<std::uint32_t>(std::ceil(3 * sigma));
      what.weights = gaussian_weights(sigma, what.radius);
    } else {
      what.kind = name == "sobel" ? operation_kind::sobel : operation_kind::grayscale;
      if (what.radius != 0) throw usage_error("--radius is for --op box and gaussian, not " + name);
    }
    if (!sigma_.empty() && what.kind != operation_kind::gaussian) throw usage_error("--sigma is for --op gaussian, not " + name);
    return what;
  }

  bool prints(const run_settings&) const override { return request_.inputs.empty(); }

  void run(job_run& run) override { request_.inputs.empty() ? simulate(run) : process_pictures(run); }

  void simulate(job_run& run) const {
    const auto size = static_cast<std::uint64_t>(size_);
    const auto sizes = std::views::iota(std::int64_t{0}, chunks_) | std::views::transform([size](std::int64_t) { return size; });
    const mpz_class expected = sum_of_squares(0, size - 1);
    std::int64_t chunk = 0;
    bool all_hold = true;
    for (const mpz_class& sum : run.pool().map({.buffersize = 1 << 16}, process_chunk, sizes)) {
      run.out().print("Processed chunk ", chunk++, ": ", sum, '\n');
      all_hold = all_hold && sum == expected;
    }
    if (run.verifies()) run.verified(all_hold, "the sum of every chunk equals the closed form");
  }

  void process_pictures(job_run& run) const {
    picture_plan plan = plan_pictures(request_, what_);
    if (!plan.folder.empty()) {
      std::error_code error;
      std::filesystem::create_directory(plan.folder, error);
      if (error) throw output_error(error, "cannot create the folder " + plan.folder);
    }
    rankpool::result_files results(run.journal(), {.overwrite = request_.force});
    for (picture_files& files : plan.pictures) {
      // Tasks with a journal are the same, however paths are written.
      if (run.has_journal()) files.input = rankpool::canonical_path(files.input);
      if (plan.is_stream) continue;
      files.target = results.target(files.output, files.input);
      files.output = files.target.path();
    }
    const std::uint64_t split_from = std::stoull(run.divided_as("--split-from", std::to_string(split_from_)));
    picture_settings settings{.what = what_,
                              .quality = quality_,
                              .compression = compression_,
                              .split_from = plan.is_stream ? 1 : split_from,  // rank 0 must write a stream: split it
                              .rows = run.chunksize_or(std::uint64_t{0}),
                              .verify = run.verifies()};
    tally all(run, plan.pictures.size(), !plan.is_stdout);
    run.shown().set(0, plan.pictures.size());

    const auto workers = static_cast<std::size_t>(run.workers());  // recorded in the journal: there are none after --max-failures
    const std::vector<picture_files> large = whole_pictures(run, settings, results, all).process(plan.pictures);
    if (large.size() >= 4 * workers) {
      run.explain(std::to_string(large.size()) + " large pictures keep all workers busy: each is one task");
      settings.split_from = 0;
      whole_pictures(run, settings, results, all).process(large);
    } else {
      for (const picture_files& files : large) {
        if (run.failures().is_reached()) {
          all.add_left_out();
          continue;
        }
        run.explain(files.input + " is large: it is split over all workers");
        const auto strips_done = [&](std::uint64_t done, std::uint64_t strips) {
          if (large.size() == 1 && plan.pictures.size() == 1) run.shown().set(done, strips);
        };
        const auto failed_before = all.failed();
        all.add_from([&] { all.add(split_picture(run.pool(), run.journal(), request_.force, settings, files, strips_done)); });
        if (all.failed() > failed_before) run.failures().count();
      }
    }
    run.set_exit_status(all.report());
  }
};

const job_entry<image> image_entry(
    "image", "pictures, filtered: a folder by files, a large one by strips (default: chunks of a simulated image)");

}  // namespace
}  // namespace jobs

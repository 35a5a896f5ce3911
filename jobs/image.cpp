// Example 9, the chunks of a simulated image; and real pictures, filtered: a folder by files, a large picture by strips.
//
// Tasks read and write the files themselves. A picture that cannot be processed is reported, and the others go on.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <ranges>
#include <rankpool/result_files.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "image/operation.hpp"
#include "image/picture_names.hpp"
#include "image/picture_task.hpp"
#include "image/split_picture.hpp"
#include "support/closed_form.hpp"
#include "support/command.hpp"
#include "support/decimal.hpp"
#include "support/in_quotes.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"
#include "support/power_sums.hpp"
#include "support/result_queue.hpp"

namespace jobs {
namespace {

struct options {
  // The tutorial's.
  std::int64_t chunks = 4;
  std::int64_t size = 1000;
  // Of pictures.
  std::string operation_name;
  std::uint32_t radius = 0;  // 0: not given
  std::string sigma;
  std::uint64_t split_from = 16'000'000;
  int quality = 92;
  int compression = 4;
  picture_request request;

  operation what;
};

mpz_class process_chunk(std::uint64_t size) { return add_squares({0, size - 1}); }

output_options text_output(const options& chosen) {
  return {.path = chosen.request.output, .force = chosen.request.force, .journal = chosen.request.journal};
}

int simulate(rankpool::executor& pool, command_context& context, const options& chosen) {
  output out(context, text_output(chosen));
  const auto size = static_cast<std::uint64_t>(chosen.size);
  const auto sizes =
      std::views::iota(std::int64_t{0}, chosen.chunks) | std::views::transform([size](std::int64_t) { return size; });
  const mpz_class expected = sum_of_squares(0, size - 1);
  std::int64_t chunk = 0;
  bool all_hold = true;
  for (const mpz_class& sum : pool.map({.buffersize = 1 << 16}, process_chunk, sizes)) {
    out.print("Processed chunk ", chunk++, ": ", sum, '\n');
    all_hold = all_hold && sum == expected;
  }
  if (context.verify) context.verified(all_hold, "the sum of every chunk is the closed form");
  out.finish();
  return 0;
}

/// How many pictures came to which end.
class tally {
 public:
  tally(command_context& context, const picture_plan& plan)
      : context_(context), pictures_(plan.pictures.size()), stdout_is_taken_(plan.is_stdout) {}

  void add(std::uint64_t pixels) {
    ++done_;
    pixels_ += pixels;
    context_.shown.set(done_ + failed_ + wrong_, pictures_);
  }

  void add_failure(const std::string& problem, bool is_wrong = false) {
    (is_wrong ? wrong_ : failed_) += 1;
    context_.shown.count_failure();
    context_.shown.make_way();
    std::cerr << "rankpool image: " + problem + "\n";
    context_.shown.set(done_ + failed_ + wrong_, pictures_);
  }

  /// Calls `process`, which may add a picture. A picture_failure that it throws is added as one.
  template <class Process>
  void add_from(Process process) {
    try {
      process();
    } catch (const wrong_picture& wrong) {
      add_failure(wrong.what(), true);
    } catch (const picture_failure& failure) {
      add_failure(failure.what());
    }
  }

  /// The exit status.
  int report() {
    if (!stdout_is_taken_) {
      output out(context_);
      out.print("Pictures: ", done_, " of ", pictures_, ", ", pixels_, " pixels\n");
      out.finish();
    }
    context_.report.add("pictures", done_);
    context_.report.add("failed", failed_ + wrong_);
    context_.report.add("pixels", pixels_);
    if (context_.verify && done_ + wrong_ > 0) {
      context_.verified(wrong_ == 0,
                        "pixels of every strip, picked at random and at the edges, are what the filter's definition gives");
    }
    return failed_ == 0 ? 0 : 1;
  }

 private:
  command_context& context_;
  std::uint64_t pictures_, done_ = 0, failed_ = 0, wrong_ = 0, pixels_ = 0;
  bool stdout_is_taken_;  // by the picture
};

/// Processes pictures, each by one worker.
class whole_pictures {
 public:
  whole_pictures(rankpool::executor& pool, const picture_settings& settings, rankpool::result_files& results, tally& all)
      : pool_(pool), settings_(settings), results_(results), all_(all) {}

  /// Returns those that are large enough to be split. Throws: an error of the pool; after stopped_error, finished results have
  /// their names.
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
    bool is_restored = false;  // by the journal
  };
  static constexpr std::size_t most_outstanding = 1 << 14;

  void submit(const picture_files& files) {
    if (results_.is_taken(files.target)) return all_.add_failure(result_exists(files));
    rankpool::future<picture_result> submitted = pool_.submit(process_picture, settings_, files);
    const bool is_restored = submitted.done();
    outstanding_.add(std::move(submitted), {files, is_restored});
  }

  void take(const submitted_picture& submitted, const picture_result& result) {
    const picture_files& files = submitted.files;
    if (result.is_left) {
      large_.push_back(files);
      return;
    }
    const auto named = [this, files, pixels = result.pixels](std::error_code error) {
      error ? all_.add_failure(problem_of(files, error)) : all_.add(pixels);
    };
    if (results_.accept(files.target, result.version, named)) return;
    if (!submitted.is_restored) throw picture_failure(problem_of(files, std::error_code(ESTALE, std::generic_category())));
    lost_.push_back(files);
  }

  /// Why the result did not get its name.
  static std::string problem_of(const picture_files& files, std::error_code error) {
    if (error.value() == EEXIST) return result_exists(files);
    if (error.value() == ESTALE) return files.output + ": its result was changed or removed; run it again";
    return "cannot write " + files.output + ": " + error.message();
  }

  rankpool::executor& pool_;
  const picture_settings settings_;
  rankpool::result_files& results_;
  tally& all_;
  std::vector<picture_files> large_;
  std::vector<picture_files> lost_;  // the journal has a result that is not there any more
  result_queue<picture_result, submitted_picture> outstanding_{
      most_outstanding,
      [this](auto&& processed, const auto& submitted) { all_.add_from([&] { take(submitted, std::move(processed).result()); }); }};
};

int process_pictures(rankpool::executor& pool, command_context& context, const options& chosen) {
  const bool has_journal = !context.resumable.journal.empty();
  picture_plan plan = plan_pictures(chosen.request, chosen.what);
  if (!plan.folder.empty()) {
    std::error_code error;
    std::filesystem::create_directory(plan.folder, error);
    if (error) throw output_error(error, "cannot make the folder " + plan.folder);
  }
  rankpool::result_files results(context.journal, {.overwrite = chosen.request.force});
  for (picture_files& files : plan.pictures) {
    if (has_journal) files.input = canonical_path(files.input);  // tasks are the same however the paths are written
    if (plan.is_stream) continue;
    files.target = results.target(files.output, files.input);
    files.output = files.target.path();
  }
  const std::uint64_t split_from = std::stoull(context.divided_as("--split-from", std::to_string(chosen.split_from)));
  picture_settings settings{.what = chosen.what,
                            .quality = chosen.quality,
                            .compression = chosen.compression,
                            .split_from = plan.is_stream ? 1 : split_from,  // rank 0 writes a split picture
                            .rows = context.chunk_or(std::uint64_t{0}),
                            .verify = context.verify};
  tally all(context, plan);
  context.shown.set(0, plan.pictures.size());

  const std::vector<picture_files> large = whole_pictures(pool, settings, results, all).process(plan.pictures);
  if (large.size() >= 4 * static_cast<std::size_t>(context.divided_for(pool))) {
    context.explain(std::to_string(large.size()) + " large pictures keep all workers busy: each is one task");
    settings.split_from = 0;
    whole_pictures(pool, settings, results, all).process(large);
  } else {
    for (const picture_files& files : large) {
      context.explain(files.input + " is large: it is split over all workers");
      const auto strips_done = [&](std::uint64_t done, std::uint64_t strips) {
        if (large.size() == 1 && plan.pictures.size() == 1) context.shown.set(done, strips);
      };
      all.add_from([&] { all.add(split_picture(pool, context.journal, chosen.request.force, settings, files, strips_done)); });
    }
  }
  return all.report();
}

int image(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  return chosen.request.inputs.empty() ? simulate(pool, context, chosen) : process_pictures(pool, context, chosen);
}

double parse_sigma(const std::string& text) {
  try {
    const double sigma = parse_decimal(text);
    if (sigma >= 0.1 && sigma <= operation::most_radius / 3.0) return sigma;
  } catch (const std::invalid_argument&) {
  }
  throw usage_error("--sigma takes a number from 0.1 to 333.3, not " + in_quotes(text));
}

operation chosen_operation(const options& chosen) {
  operation what;
  const std::string& name = chosen.operation_name;
  if (name.empty()) throw usage_error("pictures need --op: grayscale, box, gaussian or sobel");
  what.radius = chosen.radius;
  if (name == "box") {
    what.kind = operation_kind::box;
    if (what.radius == 0) throw usage_error("--op box needs --radius, the pixels to each side that are averaged");
  } else if (name == "gaussian") {
    what.kind = operation_kind::gaussian;
    if (chosen.sigma.empty()) throw usage_error("--op gaussian needs --sigma, the width of the bell in pixels");
    const double sigma = parse_sigma(chosen.sigma);
    if (what.radius == 0) what.radius = static_cast<std::uint32_t>(std::ceil(3 * sigma));
    what.weights = gaussian_weights(sigma, what.radius);
  } else {
    what.kind = name == "sobel" ? operation_kind::sobel : operation_kind::grayscale;
    if (what.radius != 0) throw usage_error("--radius is for --op box and gaussian, not " + name);
  }
  if (!chosen.sigma.empty() && what.kind != operation_kind::gaussian)
    throw usage_error("--sigma is for --op gaussian, not " + name);
  return what;
}

void check(options& chosen, const command_context& context) {
  chosen.request.journal = context.resumable.journal;
  if (chosen.request.inputs.empty()) {
    if (!chosen.operation_name.empty())
      throw usage_error("--op " + chosen.operation_name + " needs pictures: INPUT... and --output");
    text_output(chosen).check();
    return;
  }
  chosen.what = chosen_operation(chosen);
  if (chosen.request.output.empty()) throw usage_error("pictures need --output, a file or a folder");
  const picture_plan plan = plan_pictures(chosen.request, chosen.what);
  const std::string output = "--output " + chosen.request.output;
  if (plan.is_stream && context.verify)
    throw usage_error("--verify reads the result again, and " + output + " is not a regular file");
  if (plan.is_stdout && context.json) throw usage_error("--json and " + output + " both write to standard output; choose a file");
}

void add_image(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "image", "pictures, filtered: a folder by files, a large one by strips (default: chunks of a simulated image)",
      [chosen](rankpool::cluster& cluster, command_context& c) { return image(cluster, c, *chosen); },
      [chosen, &context] { check(*chosen, context); });
  CLI::Option* inputs = job.add_option("input", chosen->request.inputs, "PNG, JPEG or PNM files, or folders of them")
                            ->type_name("FILE_OR_FOLDER")
                            ->default_function([chosen] {
                              std::vector<std::string> paths = chosen->request.inputs;
                              std::ranges::transform(paths, paths.begin(), canonical_path);
                              return CLI::detail::to_string(paths);
                            });
  job.add_option("--op", chosen->operation_name, "what to do: grayscale, box, gaussian (blurs) or sobel (edges, gray)")
      ->check(CLI::IsMember({"grayscale", "box", "gaussian", "sobel"}))
      ->type_name("OPERATION");
  add_number<std::uint32_t>(job, "--radius", chosen->radius, "pixels to each side that a blur looks at (gaussian: default 3 sigma)",
                            1, operation::most_radius);
  job.add_option("--sigma", chosen->sigma, "width of the Gaussian, in pixels")->type_name("NUMBER");
  job.add_option("--format", chosen->request.format, "write png, jpeg or pnm, whatever the input was")
      ->check(CLI::IsMember({"png", "jpeg", "pnm"}))
      ->type_name("FORMAT");
  add_number(job, "--quality", chosen->quality, "of a JPEG (default 92)", 1, 100);
  add_number(job, "--compression", chosen->compression, "of a PNG: from 1, fast, to 9, small (default 4)", 1, 9);
  context.without_effect.insert(add_number<std::uint64_t>(
      job, "--split-from", chosen->split_from, "pixels from which on a picture is split over all workers (default 16e6)", 1));
  add_chunksize(job, context, "rows of a split picture in a task, rounded up to a multiple of 16, for JPEG of 128");
  add_verify(job, context,
             "read the results again and compute pixels of every strip anew, one by one; sums of simulated chunks by formula");
  context.without_effect.erase(job.get_option("--verify"));  // of a picture it is part of the task that writes it
  job.add_option("--output", chosen->request.output,
                 "the result of one picture (-: stdout); or a folder, for results under their inputs' names")
      ->type_name("FILE_OR_FOLDER");
  job.add_flag("--force", chosen->request.force, "replace results that exist");
  for (const char* of_pictures : {"--radius", "--sigma", "--format", "--quality", "--compression", "--split-from", "--chunksize"}) {
    job.get_option(of_pictures)->needs(inputs);
  }
  for (const auto& [name, value] : {std::pair("--chunks", &chosen->chunks), std::pair("--size", &chosen->size)}) {
    const bool is_size = value == &chosen->size;
    add_number<std::int64_t>(job, name, *value,
                             is_size ? "pixels in a simulated chunk (default 1000)" : "number of simulated chunks (default 4)", 1,
                             is_size ? 1'000'000'000'000 : 1'000'000'000)
        ->excludes(inputs);
  }
}

const job_entry entry("image", add_image);

}  // namespace
}  // namespace jobs

// Example 9: the chunks of a simulated image, each a sequence of pixel values that is squared and summed.
#include <cstdint>
#include <memory>
#include <ranges>

#include "support/command.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  std::int64_t chunks = 4;
  std::int64_t size = 1000;
  output_options output;
};

unsigned __int128 process_chunk(std::int64_t size) {
  unsigned __int128 sum = 0;
  for (std::int64_t pixel = 0; pixel < size; ++pixel) sum += static_cast<unsigned __int128>(pixel) * pixel;
  return sum;
}

int image(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  const auto same_size = [&chosen](std::int64_t) { return chosen.size; };
  const auto sizes = std::views::iota(std::int64_t{0}, chosen.chunks) | std::views::transform(same_size);
  std::int64_t chunk = 0;
  for (const unsigned __int128 sum : pool.map({.buffersize = 1 << 16}, process_chunk, sizes)) {
    out.print("Processed chunk ", chunk++, ": ", sum, '\n');
  }
  out.finish();
  return 0;
}

void add_image(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "image", "chunks of a simulated image, processed side by side",
      [chosen](rankpool::cluster& cluster, command_context& c) { return image(cluster, c, *chosen); },
      [chosen] { chosen->output.check(); });
  add_number<std::int64_t>(job, "--chunks", chosen->chunks, "number of chunks (default 4)", 1, 1'000'000'000);
  add_number<std::int64_t>(job, "--size", chosen->size, "pixels in a chunk (default 1000)", 1, 1'000'000'000'000);
  add_output(job, chosen->output);
}

const job_entry entry("image", add_image);

}  // namespace
}  // namespace jobs

#include "image/filters.hpp"

#include <cmath>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/filters.cpp"
#include "support/vector_targets.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace jobs::HWY_NAMESPACE {
namespace {

template <class Sample>
constexpr Sample largest = static_cast<Sample>(~Sample{0});

/// Addresses rows relative to the first row of the strip. Rows beyond the picture's edge repeat its outermost row.
template <class Sample>
struct strip_view {
  const strip_rows& strip;
  const Sample* samples;
  std::size_t row_samples;

  const Sample* row(std::int64_t y) const {
    const auto at = std::clamp<std::int64_t>(y + strip.above, 0, static_cast<std::int64_t>(strip.stored_rows()) - 1);
    return samples + static_cast<std::size_t>(at) * row_samples;
  }
};

template <class Sample>
HWY_INLINE Sample luma(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
  return static_cast<Sample>((luma_red * red + luma_green * green + luma_blue * blue + 32768) >> 16);
}

template <class Sample, std::uint32_t Channels>
HWY_INLINE void gray_row(const Sample* __restrict from, Sample* __restrict to, std::size_t width) {
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t x = 0; x < width; ++x) {
    const Sample* pixel = from + x * Channels;
    if constexpr (Channels >= 3) {
      to[x] = luma<Sample>(pixel[0], pixel[1], pixel[2]);
    } else {
      to[x] = pixel[0];
    }
  }
}

template <class Sample>
HWY_INLINE void gray_row(const Sample* from, Sample* to, const picture_layout& layout) {
  switch (layout.channels) {
    case 1: return gray_row<Sample, 1>(from, to, layout.width);
    case 2: return gray_row<Sample, 2>(from, to, layout.width);
    case 3: return gray_row<Sample, 3>(from, to, layout.width);
    default: return gray_row<Sample, 4>(from, to, layout.width);
  }
}

/// Writes a row of gray values to the result. Copies the alpha channel of `from`, if it has one.
template <class Sample>
void put_gray_row(const Sample* gray, const Sample* from, Sample* to, const picture_layout& layout) {
  if (!layout.has_alpha()) {
    std::copy(gray, gray + layout.width, to);
    return;
  }
  for (std::size_t x = 0; x < layout.width; ++x) {
    to[2 * x] = gray[x];
    to[2 * x + 1] = from[x * layout.channels + layout.channels - 1];
  }
}

template <class Sample>
HWY_INLINE void grayscale(const strip_view<Sample>& in, Sample* out) {
  const picture_layout& layout = in.strip.layout;
  const std::size_t out_samples = std::size_t{layout.width} * (layout.has_alpha() ? 2 : 1);
  std::vector<Sample> gray(layout.width);
  for (std::uint32_t y = 0; y < in.strip.rows; ++y, out += out_samples) {
    gray_row(in.row(y), layout.has_alpha() ? gray.data() : out, layout);
    if (layout.has_alpha()) put_gray_row(gray.data(), in.row(y), out, layout);
  }
}

/// Computes the gradient magnitude of one row from three gray rows. Each row repeats its outermost pixels once at both ends.
template <class Sample>
HWY_INLINE void sobel_row(const Sample* __restrict up, const Sample* __restrict at, const Sample* __restrict down,
                          Sample* __restrict to, std::size_t width) {
  using real = std::conditional_t<sizeof(Sample) == 1, float, double>;  // precise enough to round halves correctly
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t x = 0; x < width; ++x) {
    const int across = (up[x + 2] - up[x]) + 2 * (at[x + 2] - at[x]) + (down[x + 2] - down[x]);
    const int along = (down[x] - up[x]) + 2 * (down[x + 1] - up[x + 1]) + (down[x + 2] - up[x + 2]);
    const real length =
        std::sqrt(static_cast<real>(across) * static_cast<real>(across) + static_cast<real>(along) * static_cast<real>(along));
    const int rounded = static_cast<int>(length + real(0.5));
    to[x] = static_cast<Sample>(rounded < largest<Sample> ? rounded : largest<Sample>);
  }
}

template <class Sample>
HWY_INLINE void sobel(const strip_view<Sample>& in, Sample* out) {
  const picture_layout& layout = in.strip.layout;
  const std::size_t width = layout.width;
  const std::size_t out_samples = width * (layout.has_alpha() ? 2 : 1);
  std::vector<Sample> rows[3], result(width);
  const auto load = [&](std::int64_t y) HWY_ATTR {
    std::vector<Sample>& row = rows[(y + 3) % 3];
    row.resize(width + 2);
    gray_row(in.row(y), row.data() + 1, layout);
    row.front() = row[1];
    row.back() = row[width];
  };
  load(-1);
  load(0);
  for (std::int64_t y = 0; y < in.strip.rows; ++y, out += out_samples) {
    load(y + 1);
    sobel_row(rows[(y + 2) % 3].data(), rows[y % 3].data(), rows[(y + 1) % 3].data(), result.data(), width);
    put_gray_row(result.data(), in.row(y), out, layout);
  }
}

/// One row of a blur before rounding: sums of samples, multiplied by the weights if the blur has weights.
template <class Number>
struct blurred_row {
  std::size_t width, channels, radius;
  std::vector<Number> columns;  // column sums over the rows of the window, with the outermost pixels repeated on both sides
  std::vector<Number> sums;

  blurred_row(const picture_layout& layout, std::size_t r)
      : width(layout.width), channels(layout.channels), radius(r), columns((width + 2 * r) * channels), sums(width * channels) {}

  Number* middle() { return columns.data() + radius * channels; }

  void repeat_edges() {
    Number* const first = middle();
    Number* const last = first + (width - 1) * channels;
    for (std::size_t k = 1; k <= radius; ++k) {
      std::copy(first, first + channels, first - k * channels);
      std::copy(last, last + channels, last + k * channels);
    }
  }
};

template <class Source, class Number>
HWY_INLINE void add_weighted(const Source* __restrict a, const Source* __restrict b, Number weight, Number* __restrict to,
                             std::size_t n) {
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < n; ++i) to[i] += weight * (static_cast<Number>(a[i]) + static_cast<Number>(b[i]));
}

template <class Source, class Number>
HWY_INLINE void set_weighted(const Source* __restrict a, Number weight, Number* __restrict to, std::size_t n) {
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < n; ++i) to[i] = weight * static_cast<Number>(a[i]);
}

template <class Source, class Number>
HWY_INLINE void gaussian_sums(const strip_view<Source>& in, std::int64_t y, const operation& what, blurred_row<Number>& row) {
  const std::size_t n = row.sums.size();
  set_weighted(in.row(y), static_cast<Number>(what.weights[0]), row.middle(), n);
  for (std::int64_t k = 1; k <= what.radius; ++k) {
    add_weighted(in.row(y - k), in.row(y + k), static_cast<Number>(what.weights[static_cast<std::size_t>(k)]), row.middle(), n);
  }
  row.repeat_edges();
  set_weighted(row.middle(), static_cast<Number>(what.weights[0]), row.sums.data(), n);
  for (std::size_t k = 1; k <= what.radius; ++k) {
    const std::size_t apart = k * row.channels;
    add_weighted(row.middle() - apart, row.middle() + apart, static_cast<Number>(what.weights[k]), row.sums.data(), n);
  }
}

template <class Source>
HWY_INLINE void box_sums(const strip_view<Source>& in, std::int64_t y, const operation& what, blurred_row<std::uint64_t>& row) {
  const std::size_t n = row.sums.size();
  const std::int64_t radius = what.radius;
  std::uint64_t* const columns = row.middle();
  const auto move = [&](const Source* __restrict enters, const Source* __restrict leaves) HWY_ATTR {
    RANKPOOL_JOBS_VECTORIZE
    for (std::size_t i = 0; i < n; ++i) columns[i] += std::uint64_t{enters[i]} - std::uint64_t{leaves[i]};
  };
  if (y == 0) {
    set_weighted(in.row(0), std::uint64_t{1}, columns, n);
    for (std::int64_t k = 1; k <= radius; ++k) add_weighted(in.row(-k), in.row(k), std::uint64_t{1}, columns, n);
  } else {
    move(in.row(y + radius), in.row(y - radius - 1));
  }
  row.repeat_edges();
  const std::size_t channels = row.channels, window = (2 * row.radius + 1) * channels;
  for (std::size_t c = 0; c < channels; ++c) {
    std::uint64_t sum = 0;
    for (std::size_t i = c; i < window; i += channels) sum += row.columns[i];
    row.sums[c] = sum;
  }
  for (std::size_t i = channels; i < n; ++i)
    row.sums[i] = row.sums[i - channels] + row.columns[i - channels + window] - row.columns[i - channels];
}

/// Computes round(sums / total). Doubles suffice: a fractional quotient is further from the next integer than the rounding error.
template <class Sample, class Number>
HWY_INLINE void round_row(const Number* __restrict sums, Sample* __restrict to, std::size_t n, double total) {
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < n; ++i)
    to[i] = static_cast<Sample>(static_cast<int>((static_cast<double>(sums[i]) * 2 + total) / (2 * total)));
}

/// Divides the color sums by the alpha sum of the pixel. Alpha is the last channel.
template <class Sample, class Number>
void round_row_with_alpha(const Number* sums, Sample* to, std::size_t width, std::size_t channels, std::uint64_t total) {
  for (std::size_t x = 0; x < width; ++x, sums += channels, to += channels) {
    const auto alpha = static_cast<std::uint64_t>(sums[channels - 1]);
    for (std::size_t c = 0; c + 1 < channels; ++c) {
      to[c] = alpha == 0 ? Sample{0} : static_cast<Sample>((static_cast<std::uint64_t>(sums[c]) + alpha / 2) / alpha);
    }
    to[channels - 1] = static_cast<Sample>((alpha + total / 2) / total);
  }
}

template <class Sample, class Source, class Number>
HWY_INLINE void blur(const operation& what, const strip_view<Source>& in, Sample* out) {
  const picture_layout& layout = in.strip.layout;
  const std::uint64_t side = what.kind == operation_kind::box ? 2 * what.radius + 1 : operation::weights_total;
  const std::uint64_t total = side * side;
  blurred_row<Number> row(layout, what.radius);
  for (std::int64_t y = 0; y < in.strip.rows; ++y, out += layout.row_samples()) {
    if constexpr (std::is_same_v<Number, std::uint64_t>) {
      what.kind == operation_kind::box ? box_sums(in, y, what, row) : gaussian_sums(in, y, what, row);
    } else {
      gaussian_sums(in, y, what, row);
    }
    if (layout.has_alpha()) {
      round_row_with_alpha(row.sums.data(), out, layout.width, layout.channels, total);
    } else {
      round_row(row.sums.data(), out, row.sums.size(), static_cast<double>(total));
    }
  }
}

/// Returns every color sample multiplied by its alpha. 32 bits hold the product of two 16-bit samples.
template <class Sample>
std::vector<std::uint32_t> weighted_by_alpha(const strip_rows& strip, const Sample* samples) {
  const std::size_t channels = strip.layout.channels;
  std::vector<std::uint32_t> weighted(strip.stored_rows() * strip.layout.row_samples());
  for (std::size_t i = 0; i < weighted.size(); i += channels) {
    const std::uint32_t alpha = samples[i + channels - 1];
    for (std::size_t c = 0; c + 1 < channels; ++c) weighted[i + c] = samples[i + c] * alpha;
    weighted[i + channels - 1] = alpha;
  }
  return weighted;
}

template <class Sample>
HWY_INLINE void filter(const operation& what, const strip_rows& strip, const Sample* samples, Sample* out) {
  const strip_view<Sample> in{strip, samples, strip.layout.row_samples()};
  if (what.kind == operation_kind::grayscale) return grayscale(in, out);
  if (what.kind == operation_kind::sobel) return sobel(in, out);
  if (strip.layout.has_alpha()) {
    const std::vector<std::uint32_t> weighted = weighted_by_alpha(strip, samples);
    return blur<Sample, std::uint32_t, std::uint64_t>(what, {strip, weighted.data(), strip.layout.row_samples()}, out);
  }
  if (what.kind == operation_kind::box) return blur<Sample, Sample, std::uint64_t>(what, in, out);
  return blur<Sample, Sample, double>(what, in, out);  // sums stay below 2^48
}

void filter_8(const operation& what, const strip_rows& strip, const std::uint8_t* samples, std::uint8_t* out) {
  filter(what, strip, samples, out);
}

void filter_16(const operation& what, const strip_rows& strip, const std::uint16_t* samples, std::uint16_t* out) {
  filter(what, strip, samples, out);
}

}  // namespace
}  // namespace jobs::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jobs {

HWY_EXPORT(filter_8);
HWY_EXPORT(filter_16);

strip_samples filter_strip(const operation& what, const strip_rows& strip, const std::uint8_t* samples) {
  strip_samples out(what.result_of(strip.layout).row_bytes() * strip.rows);
  if (strip.layout.bits == 8) {
    HWY_DYNAMIC_DISPATCH(filter_8)(what, strip, samples, out.data());
  } else {
    const auto* const from = reinterpret_cast<const std::uint16_t*>(samples);
    HWY_DYNAMIC_DISPATCH(filter_16)(what, strip, from, reinterpret_cast<std::uint16_t*>(out.data()));
  }
  return out;
}

}  // namespace jobs
#endif

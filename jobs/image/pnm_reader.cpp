// Reads PNM as Netpbm defines it: P1 to P3 as text, P4 to P6 as binary, most significant byte first. If the maximum value is
// neither 255 nor 65535, samples are scaled to one of these and rounded.
#include <sys/stat.h>

#include <bit>

#include "image/picture_reader.hpp"

namespace jobs {
namespace {

class pnm_reader final : public picture_reader {
 public:
  explicit pnm_reader(const std::string& path) : picture_reader(path, picture_format::pnm) {
    std::fgetc(file_.get());
    kind_ = std::fgetc(file_.get()) - '0';
    layout_.width = number("width", 100'000'000);
    layout_.height = number("height", 100'000'000);
    if (!is_bitmap()) maximum_ = number("maximum", 65'535);
    if (is_raw()) separator();
    layout_.channels = kind_ % 3 == 0 ? 3 : 1;
    layout_.bits = maximum_ > 255 ? 16 : 8;
    data_offset_ = ::ftello(file_.get());
    const std::size_t stored_row = kind_ == 4 ? (std::size_t{layout_.width} + 7) / 8 : layout_.row_bytes();
    check_size(is_raw() ? stored_row : layout_.row_samples());  // as text, a value has at least one byte
    if (!is_raw()) return;
    stored_.resize(stored_row);
    skip_to(layout_.height);
    check_end();
    skip_to(0);
  }

  void read_row(std::uint8_t* into) override {
    if (!is_raw()) return read_digits(into);
    if (std::fread(stored_.data(), 1, stored_.size(), file_.get()) != stored_.size()) {
      fail(std::ferror(file_.get()) ? "cannot be read to its end" : "ends too early");
    }
    const std::size_t n = layout_.row_samples();
    if (kind_ == 4) {
      for (std::size_t x = 0; x < n; ++x) into[x] = (stored_[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    } else if (layout_.bits == 8) {
      if (maximum_ == 255) {
        std::copy(stored_.begin(), stored_.end(), into);
      } else {
        for (std::size_t i = 0; i < n; ++i) into[i] = static_cast<std::uint8_t>(scaled(stored_[i]));
      }
    } else {
      auto* const wide = reinterpret_cast<std::uint16_t*>(into);
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t value = std::uint32_t{stored_[2 * i]} << 8 | stored_[2 * i + 1];
        wide[i] = static_cast<std::uint16_t>(maximum_ == 65'535 ? value : scaled(value));
      }
    }
  }

  void finish() override {
    if (!is_raw()) check_end();
  }

  bool can_skip() const override { return is_raw(); }
  void skip_to(std::uint32_t row) final {
    if (::fseeko(file_.get(), data_offset_ + static_cast<off_t>(row * stored_.size()), SEEK_SET) != 0)
      fail("cannot be read at arbitrary positions");
  }

 private:
  bool is_raw() const { return kind_ >= 4; }
  bool is_bitmap() const { return kind_ == 1 || kind_ == 4; }

  static bool is_blank(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  // Skips blanks and comments and returns the next character.
  int next_character() {
    for (;;) {
      int c = std::fgetc(file_.get());
      if (c == '#') {
        while (c != '\n' && c != EOF) c = std::fgetc(file_.get());
      }
      if (!is_blank(c)) return c;
    }
  }

  std::uint32_t number(const char* what, std::uint32_t most, std::uint32_t least = 1) {
    int c = next_character();
    if (c == EOF) fail("ends too early");
    if (c < '0' || c > '9') fail(std::string("has no number for its ") + what);
    std::uint64_t value = 0;
    for (; c >= '0' && c <= '9' && value <= most; c = std::fgetc(file_.get()))
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (value < least || value > most) {
      fail(std::string("its ") + what + " is not from " + std::to_string(least) + " to " + std::to_string(most));
    }
    if (c != EOF) std::ungetc(c, file_.get());
    return static_cast<std::uint32_t>(value);
  }

  void separator() {
    int c = std::fgetc(file_.get());
    if (c == '#') {
      while (c != '\n' && c != EOF) c = std::fgetc(file_.get());
    }
    if (!is_blank(c)) fail(c == EOF ? "ends too early" : "its header does not end in a blank");
  }

  // Checks that only blanks and comments follow the last pixel.
  void check_end() {
    if (next_character() != EOF) fail_with_several("has more data after its last pixel, such as a second picture");
  }

  void check_size(std::size_t least_row_bytes) const {
    struct stat status {};
    if (::fstat(::fileno(file_.get()), &status) != 0 || !S_ISREG(status.st_mode)) return;
    const unsigned __int128 needed =
        static_cast<unsigned __int128>(least_row_bytes) * layout_.height + static_cast<std::uint64_t>(data_offset_);
    if (needed > static_cast<std::uint64_t>(status.st_size)) {
      fail("ends too early: " + std::to_string(status.st_size) + " bytes, but its header requires at least " +
           (needed >> 63 == 0 ? std::to_string(static_cast<std::uint64_t>(needed)) : std::string("more than 2^63")));
    }
  }

  std::uint32_t scaled(std::uint32_t value) const {
    if (value > maximum_) fail("has the value " + std::to_string(value) + " above its maximum, " + std::to_string(maximum_));
    const std::uint32_t full = layout_.bits == 8 ? 255 : 65'535;
    return (value * full + maximum_ / 2) / maximum_;
  }

  void read_digits(std::uint8_t* into) {
    for (std::size_t i = 0; i < layout_.row_samples(); ++i) {
      if (kind_ == 1) {  // P1 needs no blanks between its digits
        const int c = next_character();
        if (c != '0' && c != '1') fail(c == EOF ? "ends too early" : "has a character other than 0 and 1 in its bitmap");
        into[i] = c == '1' ? 0 : 255;
        continue;
      }
      const std::uint32_t value = scaled(number("value", maximum_, 0));
      if (layout_.bits == 8) {
        into[i] = static_cast<std::uint8_t>(value);
      } else {
        reinterpret_cast<std::uint16_t*>(into)[i] = static_cast<std::uint16_t>(value);
      }
    }
  }

  int kind_ = 0;  // 1 to 6, for P1 to P6
  std::uint32_t maximum_ = 255;
  off_t data_offset_ = 0;
  std::vector<std::uint8_t> stored_;  // a row in the encoding of the file
};

}  // namespace

std::unique_ptr<picture_reader> open_pnm(const std::string& path) { return std::make_unique<pnm_reader>(path); }

}  // namespace jobs

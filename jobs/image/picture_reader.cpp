#include "image/picture_reader.hpp"

#include "image/input_file.hpp"

namespace jobs {

std::unique_ptr<picture_reader> open_picture(const std::string& path) {
  char start[8];
  std::size_t n = 0;
  {
    const input_file file = open_input_file(path);
    n = std::fread(start, 1, sizeof start, file.get());
    if (std::ferror(file.get())) throw picture_error(path + ": cannot be read: " + std::strerror(errno));
  }
  const std::string_view magic(start, n);
  if (magic == "\x89PNG\r\n\x1a\n") return open_png(path);
  if (magic.starts_with("\xff\xd8\xff")) return open_jpeg(path);
  if (n >= 3 && magic[0] == 'P' && magic[1] >= '1' && magic[1] <= '6' &&
      (std::string_view(" \t\r\n\v\f#").find(magic[2]) != std::string_view::npos)) {
    return open_pnm(path);
  }
  throw picture_error(path + (n == 0 ? ": is empty" : ": is neither PNG nor JPEG nor PNM (P1 to P6)"));
}

}  // namespace jobs

// A library for LD_PRELOAD that simulates a fault in the picture libraries: reading a PNG or JPEG that is 13 pixels wide ends the
// process.
#include <dlfcn.h>
#include <signal.h>

#include <cstdio>

#include <jpeglib.h>  // requires <cstdio>
#include <png.h>

namespace {
constexpr unsigned crashing_width = 13;
}

extern "C" void png_read_info(png_structp picture, png_infop info) {
  static const auto next = reinterpret_cast<decltype(&png_read_info)>(::dlsym(RTLD_NEXT, "png_read_info"));
  next(picture, info);
  if (png_get_image_width(picture, info) == crashing_width) ::raise(SIGSEGV);
}

extern "C" int jpeg_read_header(j_decompress_ptr picture, boolean requires_image) {
  static const auto next = reinterpret_cast<decltype(&jpeg_read_header)>(::dlsym(RTLD_NEXT, "jpeg_read_header"));
  const int status = next(picture, requires_image);
  if (picture->image_width == crashing_width) ::raise(SIGABRT);
  return status;
}

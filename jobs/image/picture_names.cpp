#include "image/picture_names.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <regex>
#include <string_view>
#include <unordered_map>

#include "image/picture_reader.hpp"
#include "support/usage_error.hpp"

namespace jobs {
namespace {

namespace fs = std::filesystem;

std::string extension_of(const fs::path& path) {
  std::string text = path.extension().string();
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Returns the format as the integer in picture_files::format; -1 if the extension is not that of a supported picture format.
int format_of_extension(const std::string& extension) {
  if (extension == ".png") return static_cast<int>(picture_format::png);
  if (extension == ".jpg" || extension == ".jpeg" || extension == ".jpe" || extension == ".jfif")
    return static_cast<int>(picture_format::jpeg);
  if (extension == ".pnm" || extension == ".pgm" || extension == ".ppm" || extension == ".pbm")
    return static_cast<int>(picture_format::pnm);
  return -1;
}

/// Extensions of picture formats that cannot be written.
constexpr std::array<std::string_view, 25> foreign_extensions{
    ".apng", ".avif", ".bmp", ".dds", ".dib", ".eps", ".exr", ".gif", ".hdr", ".heic", ".heif", ".ico", ".j2k",
    ".jp2",  ".jxl",  ".mpo", ".pam", ".pcx", ".pdf", ".pfm", ".svg", ".tga", ".tif",  ".tiff", ".webp"};

std::string_view text_of(picture_format format) {
  switch (format) {
    case picture_format::png: return "PNG";
    case picture_format::jpeg: return "JPEG";
    default: return "PNM";
  }
}

int format_of_name(const std::string& name) {
  return name.empty() ? -1 : format_of_extension("." + (name == "jpeg" ? "jpg" : name));
}

/// Returns whether a run has not finished this file: its name ends in .part- and a process id, or a journal's random number.
bool is_unfinished(const std::string& name) {
  static const std::regex end(R"(\.part-([0-9]+(\.[0-9]+)?|[0-9a-f]{6,})$)");
  return std::regex_search(name, end);
}

bool is_of_journal(const fs::path& path, const std::string& journal) {
  std::error_code ignored;
  return !journal.empty() && (fs::equivalent(path, journal, ignored) || fs::equivalent(path, journal + "-wal", ignored) ||
                              fs::equivalent(path, journal + "-shm", ignored));
}

std::vector<std::string> files_of(const std::string& folder, const std::string& journal) {
  std::vector<std::string> files;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.') || is_unfinished(name) || entry->is_directory(ignored)) continue;
    if (is_of_journal(entry->path(), journal)) continue;
    files.push_back(entry->path().string());
  }
  if (error) throw usage_error("cannot read the folder " + folder + ": " + error.message());
  if (files.empty()) throw usage_error("folder " + folder + " has no files");
  std::ranges::sort(files);
  return files;
}

/// Returns the file name of a result in the output folder.
std::string result_name(const fs::path& input, int format, const operation& what) {
  const std::string extension = extension_of(input);
  const int named = format_of_extension(extension);
  if (format >= 0 && format != named) {
    fs::path name = input.filename();
    if (named >= 0) name.replace_extension();
    return name.string() + (format == 0 ? ".png" : format == 1 ? ".jpg" : ".pnm");
  }
  // Bitmaps become gray. A color .ppm becomes gray if the operation makes gray pictures.
  const bool becomes_gray = extension == ".pbm" || (extension == ".ppm" && what.makes_gray());
  return becomes_gray ? fs::path(input.filename()).replace_extension(".pgm").string() : input.filename().string();
}

void check_folder(const fs::path& folder, const std::string& output) {
  const std::string name = folder.empty() ? "." : folder.string();
  if (::access(name.c_str(), W_OK | X_OK) != 0) {
    throw usage_error("--output " + output + " cannot be written: " + name + ": " + std::strerror(errno));
  }
}

/// Plans one picture with a given output file. Every error in the names is detected here.
picture_files plan_file(const picture_request& request, const operation& what) {
  picture_files files{request.inputs.front(), request.output, format_of_name(request.format)};
  const std::string extension = extension_of(request.output);
  if (files.format < 0) files.format = format_of_extension(extension);
  if (!fs::path(request.output).has_filename()) throw usage_error("--output " + request.output + " is not the name of a file");
  try {
    const auto reader = open_picture(files.input);
    const picture_layout result = what.result_of(reader->layout());
    const picture_format format = files.format_for(reader->format());
    std::string reason = reason_against(request.output, format);
    if (reason.empty()) reason = reason_against({format}, result);
    if (!reason.empty()) throw usage_error("--output " + request.output + ": " + reason);
    if (extension == ".pbm")
      throw usage_error("--output " + request.output + ": results are not black and white; choose .pgm, .ppm or .pnm");
    if ((extension == ".pgm" && result.colors() == 3) || (extension == ".ppm" && result.colors() == 1)) {
      throw usage_error("--output " + request.output + ": the result is " +
                        (result.colors() == 3 ? "RGB; choose .ppm or .pnm" : "gray; choose .pgm or .pnm"));
    }
  } catch (const picture_error& error) {
    throw usage_error(error.what());
  }
  return files;
}

}  // namespace

std::string reason_against(const std::string& name, picture_format format) {
  const std::string extension = extension_of(name);
  const int named = format_of_extension(extension);
  if (std::ranges::find(foreign_extensions, extension) != foreign_extensions.end())
    return extension + " pictures cannot be written; choose .png, .jpg, .pgm, .ppm or .pnm";
  if (named < 0 || named == static_cast<int>(format)) return {};
  return "the picture is written as " + std::string(text_of(format)) + ", and " + extension +
         " names another format; change the name or --format";
}

picture_plan plan_pictures(const picture_request& request, const operation& what) {
  picture_plan plan;
  std::error_code ignored;
  std::vector<std::string> inputs;
  bool has_folder = false;
  for (const std::string& input : request.inputs) {
    if (!fs::exists(input, ignored)) throw usage_error("input " + input + " does not exist");
    if (fs::is_directory(input, ignored)) {
      has_folder = true;
      const auto files = files_of(input, request.journal);
      inputs.insert(inputs.end(), files.begin(), files.end());
    } else {
      inputs.push_back(input);
    }
  }

  const output_options output{.path = request.output};
  const bool to_folder =
      has_folder || inputs.size() > 1 || request.output.ends_with('/') || fs::is_directory(request.output, ignored);
  if (!to_folder) {
    plan.pictures.push_back(plan_file(request, what));
    plan.is_stream = output.is_stream();
    plan.is_stdout = output.is_stdout();
  } else {
    if (output.is_stream()) {
      throw usage_error("--output " + request.output + " is not a folder; several pictures, or a folder of pictures, require one");
    }
    if (!fs::exists(request.output, ignored)) {
      fs::path path(request.output);
      if (!path.has_filename()) path = path.parent_path();
      check_folder(path.parent_path(), request.output);
      plan.folder = request.output;
    } else if (!fs::is_directory(request.output, ignored)) {
      throw usage_error("--output " + request.output + " is a file; several pictures, or a folder of pictures, require a folder");
    } else {
      check_folder(request.output, request.output);
    }
    std::unordered_map<std::string, std::size_t> names;
    const int format = format_of_name(request.format);
    for (const std::string& input : inputs) {
      const std::string name = result_name(input, format, what);
      const auto [other, is_new] = names.emplace(name, plan.pictures.size());
      if (!is_new) {
        throw usage_error("the results of " + plan.pictures[other->second].input + " and " + input + " would both be " +
                          (fs::path(request.output) / name).string());
      }
      plan.pictures.push_back(
          {input, (fs::path(request.output) / name).string(), format >= 0 ? format : format_of_extension(extension_of(name))});
    }
  }
  if (!plan.folder.empty()) return plan;  // the folder does not exist yet, so no file can be overwritten
  std::vector<input_options> read;
  std::vector<output_options> written;
  for (const picture_files& files : plan.pictures) {
    read.push_back({files.input, "INPUT"});
    written.push_back(request.output_for(files));
  }
  check_distinct(read, written);
  for (const output_options& file : written) to_folder ? file.check_for_workers() : file.check();
  return plan;
}

}  // namespace jobs

// Maps INPUT... and --output to the input files and the names of their results. All errors in these names are found before any
// task runs.
#pragma once

#include <string>
#include <vector>

#include "engine/output.hpp"
#include "image/operation.hpp"
#include "image/picture_task.hpp"

namespace jobs {

struct picture_request {
  std::vector<std::string> inputs;  // paths of files and folders
  std::string output;               // a file if the input is one file; otherwise a folder, created if it does not exist
  std::string format;               // png, jpeg or pnm; empty: the format of the output's extension, or of the input
  bool force = false;
  std::string journal = {};  // --journal

  output_options output_for(const picture_files& files) const {
    return {.path = files.output, .force = force, .journal = journal, .may_replace = {files.input}};
  }
};

struct picture_plan {
  std::vector<picture_files> pictures;
  std::string folder;      // to be created; empty: no folder
  bool is_stream = false;  // one picture, written to stdout, a device or a FIFO
  bool is_stdout = false;
};

/// Returns why a picture of this format must not have this name (its extension belongs to another format); empty if it may.
std::string reason_against(const std::string& name, picture_format format);

/// Lists the pictures to process. A folder means the files in it, without subfolders and hidden files. A result keeps the name of
/// its input, with the extension of its format. Throws: usage_error.
picture_plan plan_pictures(const picture_request& request, const operation& what);

}  // namespace jobs

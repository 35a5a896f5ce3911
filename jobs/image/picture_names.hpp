// Which files are read and what their results are called, as INPUT... and --output say; all that can be wrong with that is
// found out here, before any work.
#pragma once

#include <string>
#include <vector>

#include "image/operation.hpp"
#include "image/picture_task.hpp"
#include "engine/output.hpp"

namespace jobs {

struct picture_request {
  std::vector<std::string> inputs;  // files and folders
  std::string output;               // a file, for one input that is a file; else a folder, made if it is not there
  std::string format;               // png, jpeg, pnm; empty: as the name of the output says, or as the input is
  bool force = false;
  std::string journal = {};  // --journal

  output_options output_for(const picture_files& files) const {
    return {.path = files.output, .force = force, .journal = journal, .may_replace = {files.input}};
  }
};

struct picture_plan {
  std::vector<picture_files> pictures;
  std::string folder;      // to be made
  bool is_stream = false;  // one picture, to stdout, a device or a FIFO
  bool is_stdout = false;
};

/// Why a picture of this format must not have this name, whose extension is that of another; empty if it may.
std::string reason_against(const std::string& name, picture_format format);

/// A folder stands for the files in it, not in its subfolders, without those whose names begin with a dot. A name is kept but for
/// its extension, where that would be wrong. Throws: usage_error.
picture_plan plan_pictures(const picture_request& request, const operation& what);

}  // namespace jobs

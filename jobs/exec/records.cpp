#include "exec/records.hpp"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/json.hpp"

namespace jobs {
namespace {

std::string fixed(double value) {
  std::string text(64, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.3f", value)));
  return text;
}

/// Escapes tabs and line ends, so that a command is one field of one line.
std::string one_field(const std::string& text) {
  std::string field;
  for (const char c : text) {
    if (c == '\t') {
      field += "\\t";
    } else if (c == '\n') {
      field += "\\n";
    } else {
      field += c;
    }
  }
  return field;
}

}  // namespace

std::string log_header() { return "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tRank\n"; }

std::string log_line(const command& what, const command_outcome& outcome) {
  return std::to_string(what.sequence) + '\t' + outcome.host + '\t' + fixed(outcome.start) + '\t' + fixed(outcome.seconds) +
         "\t0\t" + std::to_string(outcome.out.size()) + '\t' + std::to_string(outcome.status) + '\t' +
         std::to_string(outcome.signal) + '\t' + one_field(command_text(what)) + '\t' + std::to_string(outcome.rank) + '\n';
}

std::string json_line(const command& what, const command_outcome& outcome, int tries) {
  const nlohmann::ordered_json object{{"sequence", what.sequence},
                                      {"command", command_text(what)},
                                      {"host", outcome.host},
                                      {"rank", outcome.rank},
                                      {"start", std::round(outcome.start * 1e6) / 1e6},
                                      {"seconds", std::round(outcome.seconds * 1e6) / 1e6},
                                      {"status", outcome.status},
                                      {"signal", outcome.signal},
                                      {"timed_out", outcome.timed_out},
                                      {"tries", tries},
                                      {"stdout_bytes", outcome.out.size()},
                                      {"stderr", outcome.err}};
  return json_of(object) + '\n';
}

}  // namespace jobs

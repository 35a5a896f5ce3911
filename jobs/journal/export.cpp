#include "journal/export.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "engine/json.hpp"
#include "support/in_words.hpp"

namespace jobs {
namespace {

using rankpool::journal_reader;

/// Returns the members of a JSON object that say which items a result belongs to.
std::string json_place(const journal_reader::result& result) {
  if (!result.of_chunk) return "\"item\": " + std::to_string(result.item);
  return "\"items\": [" + std::to_string(result.from.first) + ", " + std::to_string(result.from.count) + "]";
}

void print_result(output& out, const journal_reader::result& result) {
  out.print("{", json_place(result));
  if (result.value) {
    out.print(", \"value\": ", *result.value);
  } else if (result.bytes) {
    out.print(", \"value\": null, \"bytes\": ", *result.bytes);
  }
  const journal_reader::chunk& from = result.from;
  out.print(", \"seconds\": ", json_of(from.taken.count()), ", \"rank\": ", from.rank, ", \"host\": ", json_of(from.host),
            ", \"finished\": \"", iso_time(from.finished), "\"}");
}

void print_failure(output& out, const journal_reader::failure& failure) {
  out.print("{\"item\": ", failure.item, ", \"failed\": ", failure.failed, ", \"error\": ", json_of(failure.error),
            ", \"rank\": ", failure.rank, ", \"host\": ", json_of(failure.host), ", \"at\": \"", iso_time(failure.when), "\"}");
}

/// Returns a field of CSV (RFC 4180), quoted if necessary.
std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string csv_value(std::string_view json) {
  if (json == "null") return {};
  if (json.starts_with('"')) return csv_field(nlohmann::json::parse(json).get<std::string>());
  return csv_field(json);
}

std::string csv_place(const journal_reader::result& result) {
  const std::string first = std::to_string(result.item);
  return result.of_chunk ? first + "-" + std::to_string(result.from.first + result.from.count - 1) : first;
}

}  // namespace

void export_json(output& out, const journal_reader& journal) {
  out.print("{\"subject\": ", json_of(journal.subject()), ", \"build\": ", json_of(journal.build()), ", \"calls\": [");
  std::string_view between_calls = "\n";
  for (const journal_reader::call& call : journal.calls()) {
    out.print(between_calls, " {\"name\": ", json_of(call.name), ", \"items\": ", call.items ? std::to_string(*call.items) : "null",
              ", \"results\": [");
    between_calls = ",\n";
    std::string_view between = "\n  ";
    journal.for_each_result(call.id, [&](const journal_reader::result& result) {
      out.print(std::exchange(between, ",\n  "));
      print_result(out, result);
    });
    out.print("],\n  \"failures\": [");
    between = "\n  ";
    journal.for_each_failure(
        [&](const journal_reader::failure& failure) {
          out.print(std::exchange(between, ",\n  "));
          print_failure(out, failure);
        },
        call.id);
    out.print("]}");
  }
  out.print("]}\n");
}

void export_csv(output& out, const journal_reader& journal) {
  out.print("call,item,value,seconds,rank,host,finished,error\n");
  for (const journal_reader::call& call : journal.calls()) {
    journal.for_each_result(call.id, [&](const journal_reader::result& result) {
      const journal_reader::chunk& from = result.from;
      out.print(call.id, ',', csv_place(result), ',', result.value ? csv_value(*result.value) : "", ',',
                json_of(from.taken.count()), ',', from.rank, ',', csv_field(from.host), ',', iso_time(from.finished), ",\n");
    });
    journal.for_each_failure(
        [&](const journal_reader::failure& failure) {
          out.print(call.id, ',', failure.item, ",,,", failure.rank, ',', csv_field(failure.host), ',', iso_time(failure.when), ',',
                    csv_field(failure.error), '\n');
        },
        call.id);
  }
}

}  // namespace jobs

#include "journal/summary.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/json.hpp"
#include "support/in_quotes.hpp"
#include "support/in_words.hpp"

namespace jobs {
namespace {

using rankpool::journal_reader;
using seconds = journal_reader::seconds;

/// Returns the percentage rounded down, so that 100 means complete.
int percentage(std::uint64_t part, std::uint64_t whole) {
  if (part >= whole) return 100;
  return std::min(99, static_cast<int>(100.0 * static_cast<double>(part) / static_cast<double>(whole)));
}

/// Returns the items per second while the call was running. Pauses between runs do not count.
std::optional<double> throughput(const journal_reader::call& call) {
  if (call.busy.count() <= 0) return std::nullopt;
  return static_cast<double>(call.done) / call.busy.count();
}

/// Returns the expected time for the remaining items, at this throughput.
std::optional<seconds> time_left(const journal_reader::call& call) {
  const auto speed = throughput(call);
  if (!speed || !call.items || *call.items <= call.done) return std::nullopt;
  return seconds(static_cast<double>(*call.items - call.done) / *speed);
}

std::string worker(int rank, const std::string& host) { return "rank " + std::to_string(rank) + " (" + printable(host) + ")"; }

std::string title(const journal_reader::call& call) { return "call " + std::to_string(call.id) + " " + printable(call.name); }

std::string line_of(const journal_reader::failure& failure) {
  const std::string others = failure.failed > 1 ? " and " + std::to_string(failure.failed - 1) + " more of its chunk" : "";
  return "call " + std::to_string(failure.call) + " item " + std::to_string(failure.item) + others + " on " +
         worker(failure.rank, failure.host) + ", " + iso_time(failure.when) + ": " + printable(failure.error);
}

std::string line_of(const journal_reader::chunk& chunk) {
  return "call " + std::to_string(chunk.call) + " " + items_in_words(chunk.first, chunk.count) + ": " + in_words(chunk.taken) +
         " on " + worker(chunk.rank, chunk.host);
}

std::string line_of(const journal_reader::loss& loss) {
  return worker(loss.rank, loss.host) + ", " + iso_time(loss.when) + ": its process " + printable(loss.cause) + "; it had " +
         counted(loss.items, "unfinished item");
}

void print_call(output& out, const journal_reader::call& call) {
  out.print("\n", title(call), "\n  ", counted(call.chunks, "chunk"), ", ", std::to_string(call.failed), " failed items");
  if (call.chunks > 0) {
    out.print("\n  task time ", in_words(call.total), " in total, ", in_words(call.median), " in the median\n  finished ",
              iso_time(*call.first), " to ", iso_time(*call.last));
  }
  if (const auto speed = throughput(call)) out.print("\n  ", in_words(*speed), " items per second");
  if (const auto left = time_left(call)) out.print(", about ", in_words(*left), " left");
  out.print("\n");
}

/// Holds the first `most` failures, and the number of the others.
struct some_failures {
  std::vector<journal_reader::failure> shown;
  std::uint64_t others = 0;

  some_failures(const journal_reader& journal, std::uint64_t most) {
    journal.for_each_failure([&](const journal_reader::failure& failure) {
      if (shown.size() < most) {
        shown.push_back(failure);
      } else {
        ++others;
      }
    });
  }
};

template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

nlohmann::ordered_json time_or_null(const std::optional<journal_reader::time_point>& when) {
  return when ? nlohmann::ordered_json(iso_time(*when)) : nlohmann::ordered_json();
}

}  // namespace

std::string progress_of(const journal_reader::call& call) {
  std::string text = printable(call.name) + ": " + std::to_string(call.done);
  if (call.items) text += " of " + std::to_string(*call.items);
  text += call.items.value_or(call.done) == 1 ? " item" : " items";
  if (call.items && *call.items > 0) text += ", " + std::to_string(percentage(call.done, *call.items)) + " %";
  if (call.failed > 0) text += ", " + std::to_string(call.failed) + " failed";
  return text;
}

void print_summary(output& out, const journal_reader& journal, const summary_options& options) {
  out.print(printable(options.file), ": ", in_quotes(journal.subject()), ", build ", printable(journal.build()).substr(0, 12),
            journal.is_of_this_build() ? "" : " (this program is another build)", "\n");
  const auto calls = journal.calls();
  for (const auto& call : calls) out.print("call ", call.id, ' ', progress_of(call), '\n');
  for (const auto& call : calls) print_call(out, call);

  const some_failures failures(journal, options.failures);
  if (!failures.shown.empty()) out.print("\nfailures\n");
  for (const auto& failure : failures.shown) out.print("  ", line_of(failure), '\n');
  if (!failures.shown.empty() && failures.others > 0) out.print("  and ", failures.others, " more: --failures all\n");

  const auto losses = journal.losses();
  if (!losses.empty()) out.print("\nlost workers\n");
  for (const auto& loss : losses) out.print("  ", line_of(loss), '\n');

  const auto slowest = journal.slowest(options.slowest);
  if (!slowest.empty()) out.print("\nslowest tasks\n");
  for (const auto& chunk : slowest) out.print("  ", line_of(chunk), '\n');

  const auto hosts = journal.hosts();
  if (!hosts.empty()) out.print("\nhosts\n");
  for (const auto& host : hosts) {
    out.print("  ", printable(host.name), ": ", counted(host.items, "item"), " in ", counted(host.chunks, "chunk"), ", ",
              in_words(host.total), ", ", host.failed, " failed\n");
  }
}

void print_summary_json(output& out, const journal_reader& journal, const summary_options& options) {
  using json = nlohmann::ordered_json;
  json calls = json::array();
  for (const auto& call : journal.calls()) {
    const auto left = time_left(call);
    calls.push_back({{"call", call.id},
                     {"name", call.name},
                     {"items", or_null(call.items)},
                     {"done", call.done},
                     {"failed", call.failed},
                     {"chunks", call.chunks},
                     {"total_seconds", call.total.count()},
                     {"median_seconds", call.median.count()},
                     {"first", time_or_null(call.first)},
                     {"last", time_or_null(call.last)},
                     {"items_per_second", or_null(throughput(call))},
                     {"seconds_left", left ? json(left->count()) : json()}});
  }
  json failures = json::array();
  for (const auto& f : some_failures(journal, options.failures).shown) {
    failures.push_back({{"call", f.call},
                        {"item", f.item},
                        {"failed", f.failed},
                        {"error", f.error},
                        {"rank", f.rank},
                        {"host", f.host},
                        {"at", iso_time(f.when)}});
  }
  json losses = json::array();
  for (const auto& l : journal.losses()) {
    losses.push_back({{"rank", l.rank}, {"host", l.host}, {"cause", l.cause}, {"items", l.items}, {"at", iso_time(l.when)}});
  }
  json slowest = json::array();
  for (const auto& p : journal.slowest(options.slowest)) {
    slowest.push_back({{"call", p.call},
                       {"items", {p.first, p.count}},
                       {"seconds", p.taken.count()},
                       {"rank", p.rank},
                       {"host", p.host},
                       {"finished", iso_time(p.finished)}});
  }
  json hosts = json::array();
  for (const auto& h : journal.hosts()) {
    hosts.push_back(
        {{"host", h.name}, {"items", h.items}, {"chunks", h.chunks}, {"failed", h.failed}, {"total_seconds", h.total.count()}});
  }
  const json all{{"file", options.file},        {"subject", journal.subject()},
                 {"build", journal.build()},    {"of_this_build", journal.is_of_this_build()},
                 {"calls", std::move(calls)},   {"failures", std::move(failures)},
                 {"losses", std::move(losses)}, {"slowest", std::move(slowest)},
                 {"hosts", std::move(hosts)}};
  out.print(json_of(all), '\n');
}

}  // namespace jobs

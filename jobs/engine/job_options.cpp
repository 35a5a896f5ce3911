#include "engine/job_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <map>
#include <rankpool/written_files.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "engine/json.hpp"
#include "support/duration.hpp"
#include "support/in_quotes.hpp"
#include "support/numbers.hpp"
#include "support/size.hpp"
#include "support/usage_error.hpp"

namespace jobs {

struct job_options::declared {
  CLI::Option* parsed = nullptr;
  std::function<nlohmann::json()> value;  // for --json; empty: the option is not a parameter
  std::function<std::string()> identity;  // for the journal; empty: results do not depend on the option
};

struct job_options::implementation {
  CLI::App& parser;
  run_settings& settings;
  std::deque<declared> options{};  // references stay valid
  std::vector<std::function<void()>> after_parsing{};
  std::vector<std::function<void()>> checks{};
  std::map<std::string, std::function<std::string()>> other_identity{};

  declared* add(CLI::Option* parsed, std::function<nlohmann::json()> value, std::function<std::string()> identity) {
    return &options.emplace_back(parsed, std::move(value), std::move(identity));
  }
};

namespace {

std::string joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += (line.empty() ? "" : " ") + text;
  return line;
}

/// Returns a JSON number if the value fits into 64 bits, so that other programs read it exactly; otherwise a string.
nlohmann::json json_number(const mpz_class& value) {
  if (value.fits_slong_p()) return value.get_si();
  if (value.fits_ulong_p()) return value.get_ui();
  return value.get_str();
}

// Returns a parser whose error message is one line.
template <class Read>
auto reader(const std::string& name, const std::string& expected, Read read) {
  return [name, expected, read = std::move(read)](const std::vector<std::string>& texts) {
    try {
      read(texts);
    } catch (const std::logic_error&) {  // thrown by parse_integer(), parse_size() and parse_duration()
      throw usage_error(name + " requires " + expected + ", not " + in_quotes(joined(texts)));
    }
    return true;
  };
}

std::string not_empty(const std::string& text) { return text.empty() ? "requires a non-empty value" : ""; }

}  // namespace

std::string identity_of_list(const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  std::string list;
  for (const std::string& text : texts) list.append(list.empty() ? "[" : ",").append(text);
  return list.append("]");
}

job_options::option job_options::option::needs(option other) const {
  declared_->parsed->needs(other.declared_->parsed);
  return *this;
}

job_options::option job_options::option::excludes(option other) const {
  declared_->parsed->excludes(other.declared_->parsed);
  return *this;
}

job_options::option job_options::option::without_effect() const {
  declared_->identity = nullptr;
  return *this;
}

job_options::option job_options::option::identified_by(std::function<std::string()> text) const {
  declared_->identity = std::move(text);
  return *this;
}

job_options::option job_options::option::required() const {
  declared_->parsed->required();
  return *this;
}

bool job_options::option::is_given() const { return declared_->parsed->count() > 0; }

job_options::job_options(CLI::App& parser, run_settings& settings) : all_(std::make_unique<implementation>(parser, settings)) {
  parser.parse_complete_callback([this] {
    for (const auto& act : all_->after_parsing) act();
  });
}

job_options::~job_options() = default;

job_options::option job_options::integers(const std::string& name, const std::string& help, const number_format& format,
                                          set_numbers set, get_numbers get) {
  const std::string long_name = name.substr(name.find(',') + 1);  // the long name in "-j,--workers"
  const auto read = [format, set = std::move(set)](const std::vector<std::string>& texts) {
    std::vector<mpz_class> values;
    for (const std::string& text : texts) values.push_back(parse_integer(text, format.least, format.most));
    set(values);
  };
  const std::string expected = (format.is_list ? "whole numbers " : "a whole number ") + range_text(format.least, format.most) +
                               " (such as 1000000, 10_000, 1e12 or 2^40)";
  CLI::Option* parsed = all_->parser.add_option(name, reader(long_name, expected, read), help);
  if (format.is_list) {
    parsed->type_name("NUMBERS")->expected(1, -1)->allow_extra_args();
  } else {
    parsed->type_name("NUMBER")->expected(1);
  }
  const auto known = [format, get = std::move(get)] {
    std::vector<mpz_class> values = get();
    std::erase_if(values, [&](const mpz_class& value) { return value < format.least || value > format.most; });
    return values;
  };
  const auto value = [known, is_list = format.is_list] {
    nlohmann::json list = nlohmann::json::array();
    for (const mpz_class& number : known()) list.push_back(json_number(number));
    if (is_list) return list;
    return list.empty() ? nlohmann::json() : list.front();
  };
  const auto identity = [known, is_list = format.is_list] {
    std::vector<std::string> texts;
    for (const mpz_class& number : known()) texts.push_back(number.get_str());
    if (is_list) return identity_of_list(texts);
    return texts.empty() ? std::string() : texts.front();
  };
  return option(all_->add(parsed, value, identity));
}

job_options::option job_options::text(const std::string& name, std::string& value, const std::string& help,
                                      const std::string& type_name) {
  CLI::Option* parsed = all_->parser.add_option(name, value, help)->type_name(type_name)->check(not_empty);
  return option(all_->add(
      parsed, [&value] { return value.empty() ? nlohmann::json() : nlohmann::json(value); }, [&value] { return value; }));
}

job_options::option job_options::texts(const std::string& name, std::vector<std::string>& values, const std::string& help,
                                       const std::string& type_name) {
  CLI::Option* parsed = all_->parser.add_option(name, values, help)->type_name(type_name);
  return option(all_->add(
      parsed, [&values] { return nlohmann::json(values); }, [&values] { return identity_of_list(values); }));
}

job_options::option job_options::choice(const std::string& name, std::string& value, const std::vector<std::string>& choices,
                                        const std::string& help, const std::string& type_name) {
  const option added = text(name, value, help, type_name);
  added.declared_->parsed->check([choices](const std::string& given) {
    if (std::ranges::find(choices, given) != choices.end()) return std::string();
    return "requires one of " + joined(choices) + ", not " + in_quotes(given);
  });
  return added;
}

job_options::option job_options::flag(const std::string& name, bool& value, const std::string& help) {
  CLI::Option* parsed = all_->parser.add_flag(name, value, help);
  // A journal's identity has the name of a set flag without a value.
  const auto identity = [&value] { return std::string(value ? only_name : ""); };
  return option(all_->add(
      parsed, [&value] { return nlohmann::json(value); }, identity));
}

job_options::option job_options::duration(const std::string& name, std::optional<double>& seconds, const std::string& help) {
  const auto read = [&seconds](const std::vector<std::string>& texts) { seconds = parse_duration(texts.back()); };
  CLI::Option* parsed =
      all_->parser.add_option(name, reader(name, "a time such as 90, 1.5s, 250ms, 5min or 1h", read), help)->type_name("TIME");
  parsed->expected(1);
  const auto value = [&seconds] { return seconds ? nlohmann::json(*seconds) : nlohmann::json(); };
  return option(all_->add(parsed, value, [value, &seconds] { return seconds ? value().dump() : std::string(); }));
}

job_options::option job_options::size(const std::string& name, std::uint64_t& bytes, const std::string& help, std::uint64_t least,
                                      std::uint64_t most) {
  const auto read = [&bytes, least, most](const std::vector<std::string>& texts) {
    const std::uint64_t given = parse_size(texts.back());
    if (given < least || given > most) throw std::out_of_range(texts.back());
    bytes = given;
  };
  const std::string expected = "a size " + range_text(to_mpz(least), to_mpz(most)) + " bytes, with units such as 512K, 1.5G or 4GB";
  CLI::Option* parsed = all_->parser.add_option(name, reader(name, expected, read), help)->type_name("SIZE")->expected(1);
  return option(all_->add(
      parsed, [&bytes] { return nlohmann::json(bytes); }, [&bytes] { return std::to_string(bytes); }));
}

job_options::option job_options::input_file(const std::string& name, std::string& path, const std::string& help,
                                            const std::string& type_name) {
  return text(name, path, help, type_name).identified_by([&path] { return rankpool::canonical_path(path); });
}

const run_settings& job_options::settings() const { return all_->settings; }

void job_options::output(const std::string& help, const std::string& type_name, const std::string& force_help) {
  text("--output", all_->settings.output.path, help, type_name).without_effect();
  flag("--force", all_->settings.output.force, force_help).without_effect();
}

job_options::option job_options::chunksize(const std::string& help) {
  return number("--chunksize", all_->settings.chunksize, help, 1, 1'000'000'000'000).without_effect();
}

job_options::option job_options::verify(const std::string& help) { return verify_in_tasks(help).without_effect(); }

job_options::option job_options::verify_in_tasks(const std::string& help) { return flag("--verify", all_->settings.verify, help); }

job_options::option job_options::max_failures(const std::string& help) {
  return number("--max-failures", all_->settings.max_failures, help, 1, 1'000'000'000).without_effect();
}

void job_options::after_parsing(std::function<void()> act) { all_->after_parsing.push_back(std::move(act)); }

void job_options::check(std::function<void()> act) { all_->checks.push_back(std::move(act)); }

void job_options::identity(const std::string& name, std::function<std::string()> text) {
  all_->other_identity[name] = std::move(text);
}

void job_options::all_without_effect() {
  for (declared& each : all_->options) each.identity = nullptr;
}

void job_options::footer(const std::string& text) { all_->parser.footer(text); }

void job_options::common() {
  run_settings& settings = all_->settings;
  number("-j,--workers", settings.max_workers,
         "start this many workers (default: one for each core); under mpirun or srun, use at most this many", 1, 100'000)
      .without_effect();
  const auto hidden = [this] { all_->options.back() = {all_->options.back().parsed, {}, {}}; };  // not a parameter of the result
  const option isolate = flag("--isolate", settings.isolate,
                              "run tasks in processes of their own beside the workers: a task that crashes fails alone");
  hidden();
  duration("--task-timeout", settings.task_timeout_seconds,
           "kill a task that runs longer than this, such as 90s or 5min; requires --isolate")
      .needs(isolate);
  hidden();
  if (all_->parser.get_option_no_throw("--retries") == nullptr) {  // exec retries commands, and so crashes as well
    number("--retries", settings.retries,
           "run a task that has ended its process up to this many times more (default 0); requires --isolate", 0, 65535)
        .needs(isolate);
    hidden();
  }
  if (all_->parser.get_option_no_throw("--max-failures") == nullptr) {
    max_failures(
        "start no more tasks after this many have failed. This job has one result for all tasks: the first failure always ends "
        "the run");
  }
  text("--journal", settings.resumable.journal,
       "record finished tasks in this file; the same command with the same journal resumes. Signals then stop the run early, with "
       "status 75",
       "FILE");
  hidden();
  duration("--stop-before", settings.resumable.stop_before_end,
           "stop this long before the end of the Slurm allocation, such as 90s or 5min (default 60s); requires --journal");
  hidden();
  text("--trace", settings.trace,
       "write what each worker did when to this file, for https://ui.perfetto.dev; FILE.gz is compressed", "FILE");
  hidden();
  text("--report", settings.report, "write a page about the run to this HTML file: what each worker did when, and what cost time",
       "FILE");
  hidden();
  text("--status", settings.status,
       "write the state of the run to this file every second, for 'rankpool top FILE', also on another host", "FILE");
  hidden();
  flag("--json", settings.json, "print one JSON object: results, parameters, times, tasks, workers");
  hidden();
  flag("--quiet", settings.quiet, "print no progress");
  hidden();
  flag("--verbose", settings.verbose,
       "print the hosts of the workers, what the loss of one does, and decisions with their reasons, on stderr");
  hidden();
}

bool job_options::takes_next_word(const std::string& word) const {
  if (word.find('=') != word.npos) return false;
  const CLI::Option* parsed = all_->parser.get_option_no_throw(word);
  return parsed != nullptr && parsed->get_items_expected_max() > 0;
}

std::string job_options::parameters() const {
  nlohmann::json parameters = nlohmann::json::object();
  for (const declared& each : all_->options) {
    if (each.value) parameters[each.parsed->get_single_name()] = each.value();
  }
  if (!all_->settings.tail.empty()) parameters["arguments"] = all_->settings.tail;
  return json_of(parameters);
}

std::string job_options::subject(const std::string& job) const {
  std::map<std::string, std::string> values;
  const auto add = [&values](const std::string& name, const std::string& value) {
    if (!value.empty()) values[name] = value == only_name ? "" : value;
  };
  for (const declared& each : all_->options) add(each.parsed->get_single_name(), each.identity ? each.identity() : "");
  for (const auto& [name, text] : all_->other_identity) add(name, text());
  std::string subject = job;
  for (const auto& [name, value] : values) subject += ' ' + name + (value.empty() ? "" : '=' + value);
  return subject;
}

void job_options::run_checks() const {
  for (const auto& act : all_->checks) act();
}

}  // namespace jobs

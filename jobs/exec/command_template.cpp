#include "exec/command_template.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

namespace jobs {
namespace {

std::string_view without_extension(std::string_view path) {
  const std::size_t dot = path.find_last_of("./");
  return dot != path.npos && path[dot] == '.' ? path.substr(0, dot) : path;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view folder_name(std::string_view path) {
  const auto trim = [](std::string_view text) { return text.substr(0, std::max<std::size_t>(text.find_last_not_of('/') + 1, 1)); };
  if (path.empty()) return ".";
  path = trim(path);
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return trim(path.substr(0, slash + 1));
}

// A placeholder: {} {.} {/} {//} {/.}, optionally with the number of a list as in {2/}, or {#} or {%}.
struct place {
  std::string_view form;  // the text between the braces, without the number
  int number = 0;         // number of the list, from 1, or from the end as -1; 0: all lists
};

/// Returns the placeholder that begins with the brace at the front of `text`, and its length.
std::optional<std::pair<place, std::size_t>> place_at(std::string_view text) {
  const std::size_t end = text.find('}');
  if (text.empty() || text.front() != '{' || end == text.npos) return std::nullopt;
  place found{text.substr(1, end - 1)};
  if (!found.form.empty()) {
    const auto [rest, error] = std::from_chars(found.form.data(), found.form.data() + found.form.size(), found.number);
    if (error == std::errc() && found.number == 0) return std::nullopt;
    if (error == std::errc()) found.form.remove_prefix(static_cast<std::size_t>(rest - found.form.data()));
  }
  constexpr std::string_view forms[]{"", ".", "/", "//", "/."};
  if (std::ranges::find(forms, found.form) == std::end(forms) && !((found.form == "#" || found.form == "%") && found.number == 0))
    return std::nullopt;
  return std::pair(found, end + 1);
}

/// Returns `argument` in the given form. Not named `apply`: argument-dependent lookup would find std::apply.
std::string_view replacement(std::string_view form, std::string_view argument) {
  if (form == ".") return without_extension(argument);
  if (form == "/") return base_name(argument);
  if (form == "//") return folder_name(argument);
  if (form == "/.") return without_extension(base_name(argument));
  return argument;
}

/// Returns the values of a placeholder, one word per argument.
std::vector<std::string> values(const place& at, std::span<const std::string> arguments, std::uint64_t sequence) {
  if (at.form == "#") return {std::to_string(sequence)};
  if (at.number != 0) {
    const auto count = static_cast<int>(arguments.size());
    const int index = at.number > 0 ? at.number - 1 : count + at.number;
    if (index < 0 || index >= count) return {""};
    return {std::string(replacement(at.form, arguments[static_cast<std::size_t>(index)]))};
  }
  std::vector<std::string> found;
  for (const std::string& argument : arguments) found.emplace_back(replacement(at.form, argument));
  return found;
}

std::string joined(const std::vector<std::string>& words, bool quoted) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += ' ';
    text += quoted ? shell_quoted(words[i]) : words[i];
  }
  return text;
}

bool has_place(const std::string& word) {
  for (std::size_t at = word.find('{'); at != word.npos; at = word.find('{', at + 1)) {
    if (const auto found = place_at(std::string_view(word).substr(at)); found) return true;
  }
  return false;
}

bool reads_like_shell(std::string_view word) { return word.find_first_of(" \t\n|&;<>()$`\\\"'*?[]!~=") != word.npos; }

}  // namespace

command_template::command_template(std::vector<std::string> words) : words_(std::move(words)) {
  by_shell_ = words_.empty() || (words_.size() == 1 && reads_like_shell(words_.front()));
  if (words_.empty()) {
    words_.clear();
  } else if (std::ranges::none_of(words_, has_place)) {
    if (by_shell_) {
      words_.front() += " {}";
    } else {
      words_.emplace_back("{}");
    }
  }
}

std::string command_template::place_beyond(std::size_t lists) const {
  for (const std::string& word : words_) {
    for (std::size_t at = word.find('{'); at != word.npos; at = word.find('{', at + 1)) {
      const auto found = place_at(std::string_view(word).substr(at));
      if (found && std::abs(static_cast<long long>(found->first.number)) > static_cast<long long>(lists)) {
        return word.substr(at, found->second);
      }
    }
  }
  return {};
}

command command_template::fill(std::span<const std::string> arguments, std::uint64_t sequence) const {
  command filled{.sequence = sequence, .words = {}, .by_shell = by_shell_};
  if (words_.empty()) {
    filled.words.push_back(joined({arguments.begin(), arguments.end()}, false));
    return filled;
  }
  for (const std::string& word : words_) {
    std::string text;
    bool whole = false;
    for (std::size_t at = 0; at < word.size();) {
      const auto found = place_at(std::string_view(word).substr(at));
      if (!found) {
        text += word[at++];
        continue;
      }
      const auto& [where, length] = *found;
      if (where.form == "%") {  // the worker inserts its slot
        filled.slots.push_back({static_cast<std::uint32_t>(filled.words.size()), static_cast<std::uint32_t>(text.size())});
        at += length;
        continue;
      }
      const std::vector<std::string> words = values(where, arguments, sequence);
      if (length == word.size() && !by_shell_) {  // the whole word is a placeholder: each argument becomes a word
        filled.words.insert(filled.words.end(), words.begin(), words.end());
        whole = true;
      }
      text += joined(words, by_shell_);
      at += length;
    }
    if (!whole) filled.words.push_back(std::move(text));
  }
  return filled;
}

std::string shell_quoted(std::string_view text) {
  const auto is_safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_./,:+-@%=").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_safe)) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      quoted += c;
    }
  }
  quoted += '\'';
  return quoted;
}

}  // namespace jobs

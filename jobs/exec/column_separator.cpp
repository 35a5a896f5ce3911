#include "exec/column_separator.hpp"

#include <cctype>
#include <cstddef>
#include <string_view>
#include <utility>

#include "support/in_quotes.hpp"
#include "support/usage_error.hpp"

namespace jobs {
namespace {

[[noreturn]] void refuse(const std::string& pattern, const std::string& problem) {
  throw usage_error("--colsep " + in_quotes(pattern) + " " + problem);
}

/// Returns the POSIX replacement of an escape, inside or outside brackets; empty if the escape is not supported.
std::string meaning_of(char escape, bool in_brackets) {
  switch (escape) {
    case 't': return "\t";
    case 'n': return "\n";
    case 'r': return "\r";
    case 'f': return "\f";
    case 'v': return "\v";
    case 'd': return in_brackets ? "0-9" : "[0-9]";
    case 's': return in_brackets ? "[:space:]" : "[[:space:]]";
    case 'w': return in_brackets ? "[:alnum:]_" : "[[:alnum:]_]";
    case 'D': return in_brackets ? "" : "[^0-9]";
    case 'S': return in_brackets ? "" : "[^[:space:]]";
    case 'W': return in_brackets ? "" : "[^[:alnum:]_]";
    default: return "";
  }
}

/// Translates `pattern` to a POSIX expression. Throws: usage_error for an unsupported escape.
std::string translated(const std::string& pattern) {
  std::string posix;
  bool in_brackets = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char escape = pattern[++i];
      const std::string meaning = meaning_of(escape, in_brackets);
      const bool unknown = std::isalnum(static_cast<unsigned char>(escape)) != 0 ||
                           (in_brackets && std::string_view("]^-[").find(escape) != std::string_view::npos);
      if (meaning.empty() && unknown) refuse(pattern, std::string("has the unknown escape '\\") + escape + "'");
      posix += !meaning.empty() ? meaning : in_brackets ? std::string(1, escape) : std::string{'\\', escape};
    } else if (!in_brackets && c == '[') {
      in_brackets = true;
      posix += c;
      if (pattern.compare(i + 1, 1, "^") == 0) posix += pattern[++i];
      if (pattern.compare(i + 1, 1, "]") == 0) posix += pattern[++i];  // a ] that is first in brackets is literal
    } else if (in_brackets && pattern.compare(i, 2, "[:") == 0) {
      const std::size_t end = pattern.find(":]", i);
      if (end == std::string::npos) refuse(pattern, "lacks a ':]'");
      posix.append(pattern, i, end + 2 - i);
      i = end + 1;
    } else {
      in_brackets = in_brackets && c != ']';
      posix += c;
    }
  }
  return posix;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blanks) + 1 - begin));
}

}  // namespace

void column_separator::freed::operator()(regex_t* expression) const {
  ::regfree(expression);
  delete expression;
}

column_separator::column_separator(const std::string& pattern) : text_(translated(pattern)) {
  if (pattern.empty()) refuse(pattern, "is empty");
  if (text_.find_first_of(R"(\[](){}.*+?|^$)") == std::string::npos) return;
  auto compiled = std::make_unique<regex_t>();
  if (const int error = ::regcomp(compiled.get(), text_.c_str(), REG_EXTENDED); error != 0) {
    std::string reason(200, '\0');
    reason.resize(::regerror(error, compiled.get(), reason.data(), reason.size()) - 1);
    refuse(pattern, "is not a regular expression: " + reason);
  }
  expression_.reset(compiled.release());
  if (::regexec(expression_.get(), "", 0, nullptr, 0) == 0) refuse(pattern, "matches the empty string");
}

std::vector<std::string> column_separator::split(std::span<const std::string> arguments) const {
  std::vector<std::string> columns;
  for (const std::string& argument : arguments) {
    std::size_t begin = 0;
    for (;;) {
      std::size_t end = std::string::npos;
      std::size_t next = 0;
      if (expression_ == nullptr) {
        end = argument.find(text_, begin);
        next = end + text_.size();
      } else {
        regmatch_t found{static_cast<regoff_t>(begin), static_cast<regoff_t>(argument.size())};
        if (::regexec(expression_.get(), argument.c_str(), 1, &found, REG_STARTEND) == 0 && found.rm_eo > found.rm_so) {
          end = static_cast<std::size_t>(found.rm_so);
          next = static_cast<std::size_t>(found.rm_eo);
        }
      }
      columns.push_back(trimmed(std::string_view(argument).substr(begin, end - begin)));
      if (end == std::string::npos) break;
      begin = next;
    }
  }
  return columns;
}

}  // namespace jobs

// Journals by their path: every handle of a process on one file is on one journal_file; and the calls that are kept in them.
#include <rankpool/journal.hpp>

#include "demangle.hpp"
#include "journal_file.hpp"
#include "log.hpp"
#include "open_journals.hpp"

#include <rankpool/detail/code_address.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <ctime>
#include <limits>
#include <mutex>
#include <utility>

namespace rankpool {
namespace detail {

struct journal_access {
  static const std::shared_ptr<journal_file>& get(const journal& j) { return j.file_; }
};

namespace {

struct open_journal {
  std::weak_ptr<journal_file> file;
  std::atomic<std::int64_t> calls = 0;  // of this process, also on a file that was closed in between
};

std::mutex registry_mutex;

std::map<std::filesystem::path, open_journal>& registry() {
  static auto& all = *new std::map<std::filesystem::path, open_journal>;  // never destroyed: a journal may be closed later
  return all;
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

constexpr std::size_t most_row_bytes = 900'000'000;  // SQLite's limit is 10^9

/// A result as one text: what travels beside it, each with what makes it, then its bytes.
std::string text_of(const outcome& result) {
  byte_buffer head;
  byte_writer out(head);
  out.put<std::uint64_t>(result.beside.size());
  for (const auto& b : result.beside) {
    out.put(locate_function(b->make()));
    out.put<std::uint64_t>(b->size());
  }
  std::string text;
  text.reserve(head.size() + total_size(result.beside) + result.bytes.size());
  text.append(reinterpret_cast<const char*>(head.data()), head.size());
  for (const auto& b : result.beside) text.append(reinterpret_cast<const char*>(b->data()), b->size());
  text.append(reinterpret_cast<const char*>(result.bytes.data()), result.bytes.size());
  return text;
}

outcome outcome_of(const std::string& text) {
  outcome result;
  result.what = outcome::kind::value;
  byte_reader in(reinterpret_cast<const std::byte*>(text.data()), text.size());
  const std::size_t number = in.get_count(sizeof(code_address) + sizeof(std::uint64_t));
  for (std::size_t i = 0; i < number; ++i) {
    const auto maker = in.get<code_address>();
    const auto size = in.get<std::uint64_t>();
    if (size > in.remaining()) throw serialization_error("a result is shorter than it says");
    result.beside.push_back(resolve_function<block::maker>(maker)(size));
  }
  for (const auto& b : result.beside) std::memcpy(b->data(), in.take(b->size()), b->size());
  const std::size_t left = in.remaining();
  result.bytes.append(in.take(left), left);
  return result;
}

struct failure {
  std::uint64_t item = 0;
  std::uint64_t number = 0;
  std::string exception;  // encoded
};

std::string rest_of(byte_reader& in) {
  const std::size_t left = in.remaining();
  return {reinterpret_cast<const char*>(in.take(left)), left};
}

/// The first failure in a map's piece; none: all items have a result.
std::optional<failure> failure_in(std::uint64_t first, const outcome& result) {
  byte_reader in(result.bytes, result.beside);
  (void)in.take(in.get_count(1));
  const auto number = in.get<std::uint64_t>();
  if (number == 0) return std::nullopt;
  const auto item = first + in.get<std::uint64_t>();
  return failure{item, number, rest_of(in)};
}

}  // namespace

digest digest_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

std::shared_ptr<journal_call> journal_call::begin(const journal& in, const call_description& what,
                                                  std::span<const std::byte> head) {
  const auto& file = journal_access::get(in);
  if (file == nullptr) return nullptr;
  byte_buffer bytes;
  byte_writer out(bytes);
  out.put(locate_function(what.function));
  out.put(what.identity == 0 ? code_address{} : locate_code(reinterpret_cast<const void*>(what.identity)));
  out.raw(head.data(), head.size());
  const std::int64_t id = file->next_call(digest_of(bytes), demangle(what.callable.name()));
  std::shared_ptr<journal_call> call(new journal_call(file, id, what.by_items));
  call->known = file->pieces_of(id);
  return call;
}

outcome journal_call::load(std::uint64_t first) const {
  const std::string text = file_->result_of(id_, first);
  try {
    return outcome_of(text);
  } catch (const std::exception& e) {
    file_->fail("has a result of item " + std::to_string(first) + " that cannot be read: " + e.what());
  }
}

void journal_call::note(std::uint64_t first, std::uint64_t count, const digest& input, const outcome& result) {
  if (result.what == outcome::kind::not_run) return;
  journal_file::entry e{.what = journal_file::entry::kind::finished, .call = id_, .first = first, .count = count, .input = input};
  e.taken = result.taken;
  e.when = now();
  if (result.where != nullptr) {
    e.rank = result.where->rank;
    e.host = result.where->host;
  }
  std::optional<failure> failed;
  if (result.what == outcome::kind::threw) {
    byte_reader in(result.bytes);
    failed = failure{first, count, rest_of(in)};
  } else if (by_items_) {
    failed = failure_in(first, result);
  }
  if (failed) {
    e.what = journal_file::entry::kind::failed;
    e.first = failed->item;
    e.count = failed->number;
    e.text = std::move(failed->exception);
  } else {
    if (total_size(result.beside) + result.bytes.size() > most_row_bytes) {
      log_line("the result of item " + std::to_string(first) +
               " has more than 900 MB, which a journal does not take: a later run computes it again");
      return;
    }
    e.text = text_of(result);
  }
  file_->add(std::move(e));
}

void journal_call::forget(std::uint64_t first) try {
  file_->add({.what = journal_file::entry::kind::forgotten, .call = id_, .first = first});
} catch (const journal_error&) {
  // It is told where a result cannot be kept.
}

void journal_call::note_items(std::uint64_t items) {
  file_->add({.what = journal_file::entry::kind::items, .call = id_, .count = items});
}

void journal_call::commit() { file_->commit(); }

std::exception_ptr journal_call::mismatch(const std::string& why) const {
  try {
    file_->fail("is of another input: " + why);
  } catch (const journal_error&) {
    return std::current_exception();
  }
}

void commit_journals() {
  std::vector<std::shared_ptr<journal_file>> files;
  {
    const std::lock_guard lock(registry_mutex);
    for (const auto& [path, entry] : registry()) {
      if (auto file = entry.file.lock()) files.push_back(std::move(file));
    }
  }
  for (const auto& file : files) {
    try {
      file->commit();
    } catch (const journal_error& e) {
      log_line(e.what());
    }
  }
}

}  // namespace detail

journal::journal(const std::filesystem::path& file, const std::string& subject) {
  std::error_code none;
  std::filesystem::path path = std::filesystem::weakly_canonical(file, none);
  if (none || path.empty()) path = file;
  const std::lock_guard lock(detail::registry_mutex);
  detail::open_journal& entry = detail::registry()[path];
  file_ = entry.file.lock();
  if (file_ != nullptr) {
    if (!subject.empty()) file_->expect_subject(subject);
    return;
  }
  file_ = std::make_shared<detail::journal_file>(path, subject, entry.calls);
  entry.file = file_;
}

void journal::commit() {
  if (file_ != nullptr) file_->commit();
}

}  // namespace rankpool

// Unit tests of the replay of a journal. A call that runs no tasks records what the replay passes to it.
#include "journal/replay.hpp"
#include "support/catch.hpp"
#include "support/scratch_directory.hpp"

#include <rankpool/journal.hpp>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

namespace {

using namespace rankpool::detail;
using events = std::vector<std::string>;

void run_nothing(byte_reader&, byte_writer&) {}

call_description description() { return {locate_function(&run_nothing), 0, typeid(run_nothing), typeid(int), false}; }

/// Returns the items first, first + 1, ...
item_batch batch_with(int first, int count) {
  item_batch batch;
  byte_writer out(batch.bytes);
  for (int i = first; i < first + count; ++i) {
    out.put(i);
    batch.ends.push_back(out.size());
    ++batch.count;
  }
  return batch;
}

std::string items_of(const item_batch& batch) {
  std::string text;
  byte_reader in(batch.bytes);
  for (std::uint64_t i = 0; i < batch.count; ++i) text += ' ' + std::to_string(in.get<int>());
  return text;
}

std::string message_of(const std::exception_ptr& error) {
  if (error == nullptr) return "no error";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// Records the added items, and finishes only items that are added as finished.
class recording_call final : public resumable_map_call {
 public:
  explicit recording_call(events& seen) : seen_(seen) {}

  void add(item_batch items, bool is_full) override {
    added_ += items.count;
    seen_.push_back((is_full ? "run all of" : "run") + items_of(items));
  }
  void add_finished(finished_chunk chunk) override {
    added_ += chunk.count;
    seen_.push_back("finished " + std::to_string(chunk.count) + " from " + std::to_string(chunk.first));
    finished_.push_back(std::move(chunk));
  }
  void end_input() override { seen_.push_back("end"); }
  void stop_input() override { seen_.push_back("stop"); }
  bool is_sealed() const override { return sealed_; }
  std::exception_ptr refusal() const override { return nullptr; }
  std::uint64_t added() const override { return added_; }
  std::optional<finished_chunk> take(std::optional<std::uint64_t>, steady_time) override {
    if (finished_.empty()) return std::nullopt;
    std::optional<finished_chunk> chunk = std::move(finished_.front());
    finished_.erase(finished_.begin());
    return chunk;
  }
  void cancel(const std::exception_ptr& why) override {
    sealed_ = true;
    if (why != nullptr) seen_.push_back("cancel: " + message_of(why));
  }
  void drop() noexcept override { delete this; }

 private:
  ~recording_call() = default;

  events& seen_;
  std::uint64_t added_ = 0;
  bool sealed_ = false;
  std::vector<finished_chunk> finished_;
};

/// A journal in which an earlier run has finished chunks of the items 0, 1, 2, ...
class resumed_run {
 public:
  /// `chunks`: the first item and the number of items of each chunk.
  explicit resumed_run(const std::vector<std::pair<int, int>>& chunks) {
    const std::string earlier = here_.file("earlier.journal");
    {
      const auto call = journal_call::begin(rankpool::journal(earlier), description(), {}, {});
      for (const auto& [first, count] : chunks) {
        packed_source source;
        source.append(batch_with(first, count));
        byte_buffer bytes;
        outcome result;
        result.what = outcome::kind::value;
        byte_writer(result.bytes).put(100 + first);
        const digest input = cut_and_digest(source, bytes, 0, static_cast<std::uint64_t>(count));
        call->note(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(count), input, result);
      }
      call->commit();
    }
    std::filesystem::copy_file(earlier, here_.file("journal"));  // calls on one file are numbered for the lifetime of the process
    record = journal_call::begin(rankpool::journal(here_.file("journal")), description(), {}, {});
    recorder_ = std::make_unique<call_recorder>(record);
    replayed = replay::of(resumable_map_call_ptr(new recording_call(seen_)), record, std::make_unique<packed_source>(), *recorder_);
  }

  events take_events() { return std::exchange(seen_, {}); }

  std::vector<std::pair<int, int>> chunks_in_journal() const {
    std::vector<std::pair<int, int>> chunks;
    for (const auto& [first, chunk] : record->known_chunks()) {
      chunks.emplace_back(static_cast<int>(first), static_cast<int>(chunk.count));
    }
    return chunks;
  }

 private:
  support::scratch_directory here_;
  events seen_;
  std::unique_ptr<call_recorder> recorder_;

 public:
  std::shared_ptr<journal_call> record;
  map_call_ptr replayed;
};

int result_in(const std::optional<finished_chunk>& chunk) {
  REQUIRE(chunk);
  INFO(message_of(chunk->result.error));
  REQUIRE(chunk->result.what == outcome::kind::value);
  return byte_reader(chunk->result.bytes).get<int>();
}

}  // namespace

TEST_CASE("chunks of an earlier run are restored, and the other items run") {
  resumed_run run({{2, 3}, {7, 1}});
  run.replayed->add(batch_with(0, 10), true);
  CHECK(run.take_events() ==
        events{"run all of 0 1", "finished 3 from 2", "run all of 5 6", "finished 1 from 7", "run all of 8 9"});
  CHECK(run.replayed->added() == 10);
  CHECK(result_in(run.replayed->take(2, {})) == 102);
  CHECK(result_in(run.replayed->take(7, {})) == 107);
  run.replayed->end_input();
  CHECK(run.take_events() == events{"end"});
}

TEST_CASE("items of a finished chunk that arrive one by one are held until the chunk is complete") {
  resumed_run run({{1, 3}});
  for (int i = 0; i < 3; ++i) run.replayed->add(batch_with(i, 1), false);
  CHECK(run.take_events() == events{"run all of 0"});
  CHECK(run.replayed->added() == 3);
  run.replayed->add(batch_with(3, 2), false);
  CHECK(run.take_events() == events{"finished 3 from 1", "run 4"});
}

TEST_CASE("held items run if the caller waits for their results before it adds further items") {
  resumed_run run({{0, 4}, {4, 1}});
  run.replayed->add(batch_with(0, 2), true);
  CHECK(run.take_events().empty());
  CHECK_FALSE(run.replayed->take(0, {}));
  CHECK(run.take_events() == events{"run all of 0 1"});
  run.replayed->add(batch_with(2, 3), true);
  CHECK(run.take_events() == events{"run all of 2 3", "finished 1 from 4"});
}

TEST_CASE("a chunk of other items than in the earlier run fails, and no further item runs") {
  resumed_run run({{0, 2}});
  run.replayed->add(batch_with(5, 3), true);
  const events seen = run.take_events();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0] == "finished 2 from 0");
  CHECK(seen[1].ends_with("is of another input: items 0 to 1 are not those whose results it has"));
  const auto chunk = run.replayed->take(0, {});
  REQUIRE(chunk);
  CHECK(message_of(chunk->result.error).ends_with("items 0 to 1 are not those whose results it has"));
}

TEST_CASE("an input that ends before the finished chunks of the earlier run is refused") {
  resumed_run run({{0, 1}, {1, 4}});
  run.replayed->add(batch_with(0, 3), true);
  run.replayed->end_input();
  const events seen = run.take_events();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0] == "finished 1 from 0");
  CHECK(seen[1].ends_with("there are 3 items, and it has results up to item 4"));
  CHECK(seen[2] == "run all of 1 2");  // after cancel(), items that run fail
}

TEST_CASE("an input that stops before its end is not compared with the earlier run") {
  resumed_run run({{0, 1}, {1, 4}});
  run.replayed->add(batch_with(0, 3), true);
  run.replayed->stop_input();
  CHECK(run.take_events() == events{"finished 1 from 0", "stop"});
}

TEST_CASE("a chunk of an earlier run stays in the journal until chunks that overlap it are finished") {
  resumed_run run({{0, 4}, {4, 4}, {8, 4}});
  run.replayed->add(batch_with(0, 2), true);
  CHECK_FALSE(run.replayed->take(0, {}));
  CHECK(run.take_events() == events{"run all of 0 1"});
  using chunks = std::vector<std::pair<int, int>>;
  run.record->commit();
  CHECK(run.chunks_in_journal() == chunks{{0, 4}, {4, 4}, {8, 4}});
  outcome result;
  result.what = outcome::kind::value;
  run.record->note(2, 4, {}, result);
  run.record->commit();
  CHECK(run.chunks_in_journal() == chunks{{2, 4}, {8, 4}});
}

// What a rank and its runner process share: batches, the log of answers, and the log of shared values. Both ends are in this
// process.
#include "support/catch.hpp"

#include "runner/answer_log.hpp"
#include "runner/growing_memory.hpp"
#include "runner/request.hpp"
#include "runner/runner_control.hpp"
#include "runner/share_log.hpp"
#include "shared/shared_segment.hpp"
#include "shared/shared_table.hpp"
#include "wire/block_description.hpp"

#include <rankpool/detail/call/chunk_writer.hpp>
#include <rankpool/errors.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace rankpool::detail;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of(std::span<const std::byte> content) { return {reinterpret_cast<const char*>(content.data()), content.size()}; }

std::shared_ptr<block> block_of(std::vector<double> values) {
  return std::make_shared<held<std::vector<double>>>(std::move(values));
}

task_runner::answer answer_of(const std::string& result, bool threw = false) {
  task_runner::answer a;
  a.bytes.append(result.data(), result.size());
  a.threw = threw;
  return a;
}

/// Both ends of a log of answers. With `unread`, large blocks stay in the runner.
struct log_ends {
  explicit log_ends(std::shared_ptr<uses> unread = nullptr) : reader(control, rank, std::move(unread)) {}

  runner_control control;
  growing_memory rank{"test"};
  growing_memory runner{static_cast<int>(getpid()), rank.descriptor()};
  bool retires = false;
  answer_writer writer{control, runner, [this] { retires = true; }};
  answer_reader reader;
};

/// Returns the results and failures of a chunk's outcome, as "results|index:exception ...".
std::string chunk_text(const task_runner::answer& a) {
  byte_reader in(a.bytes);
  const auto length = in.get<std::uint64_t>();
  std::string all(reinterpret_cast<const char*>(in.take(length)), length);
  all += '|';
  for (auto failed = in.get<std::uint64_t>(); failed > 0; --failed) {
    all += std::to_string(in.get<std::uint64_t>()) + ':';
    const auto size = in.get<std::uint64_t>();
    all += std::string(reinterpret_cast<const char*>(in.take(size)), size) + ' ';
  }
  in.expect_end();
  return all;
}

std::string failure(std::uint64_t item, const std::string& exception) {
  byte_buffer one;
  byte_writer out(one);
  append_failure(out, item, bytes_of(exception));
  return text_of(one);
}

shared_data* shared_value_of(std::uint64_t id, const std::string& content) {
  auto copy = aligned_copy(bytes_of(content));
  const std::span<const std::byte> view(copy.get(), content.size());
  return new shared_data(id, std::move(copy), view);
}

}  // namespace

TEST_CASE("memory that grows in one process is found by the other") {
  growing_memory own("test");
  growing_memory other(static_cast<int>(getpid()), own.descriptor());
  for (const std::size_t size : {std::size_t{10}, std::size_t{100'000}, std::size_t{5'000'000}}) {
    std::memcpy(other.allocate(size) + size - 3, "end", 3);
    CHECK(std::memcmp(own.map(size) + size - 3, "end", 3) == 0);
  }
  CHECK_THROWS_AS(own.map(std::size_t{1} << 30), rankpool::error);
  CHECK_THROWS_AS(growing_memory(static_cast<int>(getpid()), 1 << 20), rankpool::error);
}

TEST_CASE("a batch arrives with its initializer, payloads, limits and blocks, in the batch or by address") {
  for (const bool by_address : {false, true}) {
    growing_memory memory("test");
    const std::string first = "first";
    const std::string last(100'000, 'l');
    const blocks attached{block_of({1, 2, 3}), block_of({})};
    const std::vector<task_runner::call> calls{{{1, 2}, bytes_of(first), attached, {500, 2}}, {{1, 3}, bytes_of(last), {}}};
    const std::string setup = "setup";
    const std::size_t size = write_request(memory, {{1, 1}, bytes_of(setup), {}}, calls, by_address);
    const request_reader batch(memory.map(size), size);
    CHECK(text_of(batch.initializer().call.payload) == setup);
    const received_call one = batch.call(0);
    CHECK(one.call.function == code_address{1, 2});
    CHECK(one.call.limits == task_limits{500, 2});
    CHECK(text_of(one.call.payload) == first);
    REQUIRE(one.out_of_band.size() == 2);
    CHECK(held_in<std::vector<double>>(*one.out_of_band[0]) == std::vector<double>{1, 2, 3});
    CHECK(one.out_of_band[1]->size() == 0);
    CHECK(text_of(batch.call(1).call.payload) == last);
    CHECK(text_of(batch.call(0).call.payload) == first);
  }
}

TEST_CASE("answers are read in order, with their blocks, and not before they are complete") {
  for (const int by_address : {0, 1}) {
    log_ends log;
    log.control.pid = getpid();
    log.control.blocks_by_address = by_address;
    CHECK_FALSE(log.reader.next());
    log.writer.end_initializer({});
    CHECK_FALSE(log.reader.next());
    CHECK(log.control.is_initialized);
    log.writer.begin_call(0, 0, false);
    log.writer.end_call(answer_of("one"), std::chrono::nanoseconds(5));
    log.writer.begin_call(1, 0, false);
    auto with_block = answer_of("two");
    with_block.out_of_band.push_back(block_of({4, 5}));
    log.writer.end_call(with_block, std::chrono::nanoseconds(6));
    log.writer.begin_call(2, 0, false);
    log.writer.end_call(answer_of("wrong", true), std::chrono::nanoseconds(7));
    const auto one = log.reader.next();
    REQUIRE(one);
    CHECK(text_of(one->bytes) == "one");
    CHECK(one->taken == std::chrono::nanoseconds(5));
    const auto two = log.reader.next();
    REQUIRE(two);
    REQUIRE(two->out_of_band.size() == 1);
    CHECK(held_in<std::vector<double>>(*two->out_of_band[0]) == std::vector<double>{4, 5});
    const auto three = log.reader.next();
    REQUIRE(three);
    CHECK(three->threw);
    CHECK(text_of(three->bytes) == "wrong");
    CHECK_FALSE(log.reader.next());
  }
}

TEST_CASE("a large block of an answer stays in the runner until nobody uses it, and a small one is read at once") {
  const auto unread = std::make_shared<uses>();
  log_ends log(unread);
  log.control.pid = getpid();
  log.control.blocks_by_address = 1;
  log.writer.begin_call(0, 0, false);
  auto result = answer_of("result");
  result.out_of_band = {block_of(std::vector<double>(remote_bytes / sizeof(double), 2.5)), block_of({4, 5})};
  log.writer.end_call(result, std::chrono::nanoseconds(5));
  auto received = log.reader.next();
  REQUIRE(received);
  REQUIRE(received->out_of_band.size() == 2);
  CHECK(held_in<std::vector<double>>(*received->out_of_band[1]) == std::vector<double>{4, 5});
  auto& large = dynamic_cast<remote_block&>(*received->out_of_band[0]);
  CHECK(large.size() == remote_bytes);
  CHECK_THROWS_AS(large.bytes(), std::logic_error);
  const auto copy = fetch_block(large.description());
  REQUIRE(copy != nullptr);
  CHECK(held_in<std::vector<double>>(*copy) == std::vector<double>(remote_bytes / sizeof(double), 2.5));
  CHECK_FALSE(unread->await_none(std::chrono::nanoseconds(0)));
  received.reset();
  CHECK(unread->await_none(std::chrono::nanoseconds(0)));
}

TEST_CASE("a block whose process has ended cannot be fetched") {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  block_description gone = describe_in_place(*block_of({1, 2, 3}));
  gone.pid = child;
  CHECK(fetch_block(gone) == nullptr);
}

TEST_CASE("a remote block in a batch is read from its own process, also if the batch has copies of the others") {
  growing_memory memory("test");
  const auto original = block_of({1, 2, 3});
  const blocks attached{std::make_shared<remote_block>(describe_in_place(*original)), block_of({4})};
  const std::vector<task_runner::call> calls{{{1, 2}, {}, attached}};
  const std::size_t size = write_request(memory, {}, calls, false);
  const received_call received = request_reader(memory.map(size), size).call(0);
  REQUIRE(received.out_of_band.size() == 2);
  CHECK(held_in<std::vector<double>>(*received.out_of_band[0]) == std::vector<double>{1, 2, 3});
  CHECK(held_in<std::vector<double>>(*received.out_of_band[1]) == std::vector<double>{4});
}

TEST_CASE("the outcomes of a chunk's items survive their process, and the next one adds the others") {
  log_ends log;
  log.writer.begin_call(0, 0, false);
  CHECK(log.writer.first_item() == 0);
  log.writer.on_item();
  log.writer.keep(bytes_of("a"), {}, {}, 0, 1);
  log.writer.on_item();
  log.writer.keep({}, {}, bytes_of(failure(1, "x")), 1, 2);
  log.writer.on_item();  // item 2 ends the process
  CHECK_FALSE(log.reader.next());
  CHECK(log.reader.next_item() == 2);
  log.reader.drop_item();
  log.reader.fail_item(bytes_of("lost"));
  CHECK(log.reader.next_item() == 3);
  log.writer.begin_call(0, 3, false);
  CHECK(log.writer.first_item() == 3);
  log.writer.on_item();
  log.writer.keep(bytes_of("d"), {}, {}, 0, 4);
  log.writer.end_call({}, std::chrono::nanoseconds(1));
  const auto whole = log.reader.next();
  REQUIRE(whole);
  CHECK(chunk_text(*whole) == "ad|1:x 2:lost ");
}

TEST_CASE("what the log has of an item without an outcome is dropped with its process") {
  log_ends log;
  log.writer.begin_call(0, 0, false);
  (void)log.writer.first_item();
  log.writer.on_item();
  log.writer.keep(bytes_of("a"), {}, {}, 0, 1);
  const std::size_t complete = log.control.answered_bytes;
  log.writer.keep({}, {}, bytes_of(failure(1, "x")), 1, 2);
  log.control.answered_bytes -= 24;  // without the last record, which completes the item
  CHECK(log.control.answered_bytes > complete);
  CHECK_FALSE(log.reader.next());
  CHECK(log.reader.next_item() == 1);
  log.reader.drop_item();
  log.writer.begin_call(0, 1, false);
  (void)log.writer.first_item();
  log.writer.on_item();
  log.writer.keep(bytes_of("B"), {}, {}, 0, 2);
  log.writer.end_call({}, std::chrono::nanoseconds(1));
  CHECK(chunk_text(*log.reader.next()) == "aB|");
}

TEST_CASE("a process is replaced between the items of a chunk when it has run as many tasks as it may") {
  log_ends log;
  log.control.settings.max_tasks = 2;
  log.writer.begin_call(0, 0, false);
  (void)log.writer.first_item();
  log.writer.on_item();
  log.writer.on_item();
  CHECK_FALSE(log.retires);
  log.writer.on_item();
  CHECK(log.retires);
}

TEST_CASE("a log that a task has damaged is an error, never an answer") {
  log_ends log;
  log.writer.begin_call(0, 0, false);
  log.writer.end_call(answer_of("one"), std::chrono::nanoseconds(5));
  SECTION("its length") { log.control.answered_bytes = std::size_t{1} << 40; }
  SECTION("a record's length") {
    const std::uint64_t huge = std::uint64_t{1} << 50;
    std::memcpy(log.runner.data() + 8, &huge, sizeof huge);
  }
  SECTION("a record's kind") {
    const std::uint32_t unknown = 1000;
    std::memcpy(log.runner.data(), &unknown, sizeof unknown);
  }
  CHECK_THROWS_AS(log.reader.next(), rankpool::error);
}

TEST_CASE("a runner process gets the shared values of its worker, and releases what the worker has released") {
  share_log log;
  growing_memory memory(static_cast<int>(getpid()), log.descriptor());
  note_received(std::shared_ptr<const shared_data>(shared_value_of(501, "small")));
  log.add(501, {});
  {
    share_reader reader(memory);
    reader.pull();
    CHECK(text_of(shared_data::find(501)->bytes()) == "small");
    const auto segment = shared_segment::create(bytes_of(std::string(100'000, 'm')));
    log.add(502, {100'000, static_cast<std::int32_t>(getpid()), segment->descriptor()});
    reader.pull();
    CHECK(shared_data::find(502)->bytes().size() == 100'000);
    log.remove(502);
    reader.pull();
    std::size_t added = 0;  // until the log is rewritten several times
    for (std::uint64_t id = 1000; id < 1300; ++id, ++added) {
      note_received(std::shared_ptr<const shared_data>(shared_value_of(id, std::string(20'000, 'v'))));
      log.add(id, {});
      if (id % 3 == 0) reader.pull();
      log.remove(id);
      forget_received(id);
    }
    reader.pull();
    CHECK(text_of(shared_data::find(501)->bytes()) == "small");
    CHECK(added == 300);
  }
  forget_received(501);  // of the reader
  forget_received(501);
}

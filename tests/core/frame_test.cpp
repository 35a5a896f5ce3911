// Encoding and decoding of frames. Frames that are too short, too long or of another format are refused.
#include "wire/frame.hpp"
#include "support/catch.hpp"

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace rankpool::detail;

byte_buffer bytes(const std::string& text) {
  byte_buffer b;
  b.append(text.data(), text.size());
  return b;
}

std::string text(bytes_view v) { return {reinterpret_cast<const char*>(v.data()), v.size()}; }

std::vector<record> read_all(const frame& f) {
  std::vector<record> records;
  frame_reader in(f);
  for (record r; in.next(r);) records.push_back(r);
  return records;
}

frame one_of_each() {
  frame_writer out;
  out.open(7, {1, 2}, bytes("begin"));
  out.task(11, 7, {3, 4}, bytes("argument"), nullptr);
  out.task(12, 7, {3, 4}, {}, std::make_shared<held<byte_buffer>>(bytes("large")));
  out.close(7);
  out.recall();
  out.stop(-3);
  out.result(11, true, 99, bytes("oops"));
  out.open_failed(7, bytes("why"));
  out.recalled({1, 2, 3}, false);
  out.share(5, 4, 0, -1, bytes("here"));
  out.broadcast(6, 1000);
  out.unshare(5);
  out.shared_here(6, 1000, 12);
  out.usage(77);
  out.stopped();
  out.unavailable(6, "no memory");
  out.started(12);
  return out.take();
}

}  // namespace

TEST_CASE("every record is decoded as it was encoded") {
  const frame f = one_of_each();
  const auto r = read_all(f);
  REQUIRE(r.size() == 17);
  CHECK(std::get<open_record>(r[0]).executor == 7);
  CHECK(text(std::get<open_record>(r[0]).payload) == "begin");
  CHECK(std::get<task_record>(r[1]).id == 11);
  CHECK(std::get<task_record>(r[1]).function.module == 3);
  CHECK(std::get<task_record>(r[1]).function.offset == 4);
  CHECK(text(std::get<task_record>(r[1]).payload) == "argument");
  CHECK(text(std::get<task_record>(r[2]).payload) == "large");
  CHECK(std::get<close_record>(r[3]).executor == 7);
  CHECK(std::holds_alternative<recall_record>(r[4]));
  CHECK(std::get<stop_record>(r[5]).status == -3);
  CHECK(std::get<result_record>(r[6]).threw);
  CHECK(std::get<result_record>(r[6]).nanoseconds == 99);
  CHECK(text(std::get<result_record>(r[6]).payload) == "oops");
  CHECK(text(std::get<open_failed_record>(r[7]).payload) == "why");
  CHECK(std::get<recalled_record>(r[8]).ids == std::vector<std::uint64_t>{1, 2, 3});
  CHECK_FALSE(std::get<recalled_record>(r[8]).answers_request);
  CHECK(std::get<share_record>(r[9]).id == 5);
  CHECK(text(std::get<share_record>(r[9]).payload) == "here");
  CHECK(std::get<broadcast_record>(r[10]).size == 1000);
  CHECK(std::get<unshare_record>(r[11]).id == 5);
  CHECK(std::get<shared_here_record>(r[12]).descriptor == 12);
  CHECK(std::get<usage_record>(r[13]).nanoseconds == 77);
  CHECK(std::holds_alternative<stopped_record>(r[14]));
  CHECK(std::get<unavailable_record>(r[15]).id == 6);
  CHECK(text(std::get<unavailable_record>(r[15]).reason) == "no memory");
  CHECK(std::get<started_record>(r[16]).id == 12);
}

TEST_CASE("the large payload of an initializer travels out of band, the same block to every worker") {
  const std::shared_ptr<block> arguments = std::make_shared<held<byte_buffer>>(bytes(std::string(bulk_bytes, 'x')));
  frame_writer one;
  frame_writer two;
  one.open(7, {1, 2}, {}, arguments);
  two.open(7, {1, 2}, {}, arguments);
  for (frame_writer* out : {&one, &two}) {
    const frame f = out->take();
    CHECK(f.head.size() < 100);
    REQUIRE(f.bulk.size() == 1);
    CHECK(f.bulk.front() == arguments);
    const auto r = read_all(f);
    const auto& open = std::get<open_record>(r.at(0));
    CHECK(open.bulk == arguments);
    CHECK(open.payload.data() == arguments->data());
    CHECK(open.payload.size() == bulk_bytes);
  }
}

TEST_CASE("the large exception of an initializer travels out of band") {
  frame_writer out;
  out.open_failed(7, bytes(std::string(bulk_bytes, 'x')));
  const frame f = out.take();
  CHECK(f.bulk.size() == 1);
  const auto r = read_all(f);
  CHECK(std::get<open_failed_record>(r.at(0)).payload.size() == bulk_bytes);
}

TEST_CASE("tasks of one kind with consecutive numbers share a header, and so do their results") {
  constexpr int n = 100;
  const std::string argument = "eight by";
  frame_writer tasks;
  frame_writer results;
  for (int i = 0; i < n; ++i) {
    tasks.task(static_cast<std::uint64_t>(1000 + i), 7, {3, 4}, bytes(argument), nullptr);
    results.result(static_cast<std::uint64_t>(1000 + i), i == 50, 100, bytes(argument));
  }
  const frame to = tasks.take();
  const frame back = results.take();
  CHECK(to.head.size() < n * (argument.size() + 2) + 60);
  CHECK(back.head.size() < n * (argument.size() + 3) + 60);
  const auto sent = read_all(to);
  const auto returned = read_all(back);
  REQUIRE(sent.size() == n);
  REQUIRE(returned.size() == n);
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(std::get<task_record>(sent[i]).id == 1000 + i);
    CHECK(std::get<task_record>(sent[i]).executor == 7);
    CHECK(text(std::get<task_record>(sent[i]).payload) == argument);
    CHECK(std::get<result_record>(returned[i]).id == 1000 + i);
    CHECK(std::get<result_record>(returned[i]).threw == (i == 50));
  }
}

TEST_CASE("records between tasks keep their order") {
  frame_writer out;
  out.task(1, 7, {3, 4}, {}, nullptr);
  out.recall();
  out.task(2, 7, {3, 4}, {}, nullptr);
  out.task(3, 8, {3, 4}, {}, nullptr);
  out.task(4, 8, {3, 5}, {}, nullptr);
  out.task(9, 8, {3, 5}, {}, nullptr);
  const frame f = out.take();
  const auto r = read_all(f);
  REQUIRE(r.size() == 6);
  CHECK(std::holds_alternative<recall_record>(r[1]));
  CHECK(std::get<task_record>(r[2]).id == 2);
  CHECK(std::get<task_record>(r[3]).executor == 8);
  CHECK(std::get<task_record>(r[4]).function.offset == 5);
  CHECK(std::get<task_record>(r[5]).id == 9);
}

TEST_CASE("a writer is empty again once its frame is taken") {
  frame_writer out;
  CHECK(out.empty());
  out.recall();
  CHECK_FALSE(out.empty());
  (void)out.take();
  CHECK(out.empty());
  CHECK(read_all(out.take()).empty());
}

TEST_CASE("the large payload of a result can be moved out of its frame") {
  frame_writer out;
  byte_buffer large_payload;
  const std::vector<char> content(bulk_bytes, 'x');
  large_payload.append(content.data(), content.size());
  out.result(1, false, 5, std::move(large_payload));
  const frame f = out.take();
  CHECK(f.bulk.size() == 1);
  const auto r = read_all(f);
  const auto& result = std::get<result_record>(r.at(0));
  REQUIRE(result.bulk != nullptr);
  CHECK(result.bulk->size() == bulk_bytes);
}

TEST_CASE("a frame cut short anywhere is refused") {
  const frame whole = one_of_each();
  for (std::size_t n = 0; n < whole.head.size(); ++n) {
    frame cut;
    cut.head.append(whole.head.data(), n);
    cut.bulk = whole.bulk;
    CHECK_THROWS_AS(read_all(cut), message_error);
  }
}

TEST_CASE("a frame with trailing bytes is refused") {
  frame f = one_of_each();
  byte_writer(f.head).put<std::uint8_t>(0);
  CHECK_THROWS_AS(read_all(f), message_error);
}

TEST_CASE("a frame with a damaged byte is refused or read within its bounds") {
  const frame whole = one_of_each();
  for (std::size_t at = 0; at < whole.head.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      frame damaged;
      damaged.head.append(whole.head.data(), whole.head.size());
      damaged.bulk = whole.bulk;
      damaged.head.data()[at] ^= static_cast<std::byte>(flip);
      std::size_t records = 0;
      try {
        records = read_all(damaged).size();
      } catch (const message_error&) {  // any other exception, or a read out of bounds, fails the test
      }
      CHECK(records <= 17);
    }
  }
}

TEST_CASE("a frame of another program or version is refused by name") {
  frame f = one_of_each();
  f.head.data()[0] ^= std::byte{1};
  CHECK_THROWS_WITH(read_all(f), "a message of another version or program was received");
}

TEST_CASE("an unknown record is refused with its number") {
  frame_writer out;
  out.recall();
  frame f = out.take();
  f.head.data()[8] = std::byte{200};
  CHECK_THROWS_WITH(read_all(f), "a message with an unknown record (200) was received");
}

TEST_CASE("a frame whose large payload is missing, superfluous or of another size is refused") {
  frame missing = one_of_each();
  missing.bulk.clear();
  CHECK_THROWS_AS(read_all(missing), message_error);
  frame superfluous = one_of_each();
  superfluous.bulk.push_back(std::make_shared<held<byte_buffer>>(byte_buffer()));
  CHECK_THROWS_AS(read_all(superfluous), message_error);
  frame other = one_of_each();
  other.bulk[0] = std::make_shared<held<byte_buffer>>(bytes("of another size"));
  CHECK_THROWS_AS(read_all(other), message_error);
}

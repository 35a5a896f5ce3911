// A transport whose peers are simulated by the test or the fuzzer. It delivers the frames that the test creates, and decodes the
// frames that are sent.
#pragma once

#include "transport/transport.hpp"

#include <deque>
#include <optional>
#include <utility>

namespace support {

class scripted_transport : public rankpool::detail::transport {
 public:
  void lose(rankpool::detail::lost_peer peer) { lost_.push_back(std::move(peer)); }
  void lose_descriptors(int peer) { without_descriptors_ = peer; }
  void arrive(int from, rankpool::detail::frame f) { arriving_.emplace_back(from, std::move(f)); }

  void send(int, rankpool::detail::frame f) override {  // checks that the frame can be decoded
    rankpool::detail::frame_reader reader(f);
    for (rankpool::detail::record r; reader.next(r);) on_sent(r);
  }
  bool receive(int& peer, rankpool::detail::frame& f) override {
    if (arriving_.empty()) return false;
    peer = arriving_.front().first;
    f = std::move(arriving_.front().second);
    arriving_.pop_front();
    return true;
  }
  std::optional<rankpool::detail::lost_peer> take_lost() override {
    if (lost_.empty()) return std::nullopt;
    auto first = std::move(lost_.front());
    lost_.pop_front();
    return first;
  }
  std::optional<int> take_peer_without_descriptors() override { return std::exchange(without_descriptors_, std::nullopt); }
  void broadcast(std::span<std::byte>, std::function<void()> done) override { done(); }
  bool transferring() const override { return false; }
  bool peers_ring() const override { return true; }
  std::uint32_t rings() const override { return 0; }
  bool look(std::uint32_t, const std::atomic<int>&, const rankpool::detail::expectation&) override { return !arriving_.empty(); }
  bool prepare_sleep(std::uint32_t) override { return false; }
  void sleep(std::uint32_t, rankpool::detail::steady_time) override {}
  void wake() override {}

 protected:
  virtual void on_sent(const rankpool::detail::record&) {}

 private:
  std::deque<std::pair<int, rankpool::detail::frame>> arriving_;
  std::deque<rankpool::detail::lost_peer> lost_;
  std::optional<int> without_descriptors_;
};

}  // namespace support

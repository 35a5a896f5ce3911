// A transport whose only worker is in rank 0's process. The worker runs when rank 0 calls receive().
//
// Frames are encoded and decoded as between ranks, so that a program that works inline also works on ranks.
#pragma once

#include "transport/transport.hpp"
#include "worker/worker.hpp"

#include <deque>
#include <stdexcept>

namespace rankpool::detail {

class inline_transport final : public transport {
 public:
  explicit inline_transport(worker_place place);
  /// As worker::report_ends().
  void report_ends() { worker_.report_ends(); }

  void send(int peer, frame f) override;
  bool receive(int& peer, frame& f) override;
  void broadcast(std::span<std::byte>, std::function<void()>) override { throw std::logic_error("there is no other node"); }
  bool transferring() const override { return false; }
  bool peers_ring() const override { return true; }
  std::uint32_t rings() const override { return 0; }
  bool look(std::uint32_t, const std::atomic<int>&, const expectation&) override { return false; }
  bool prepare_sleep(std::uint32_t) override { return true; }
  void sleep(std::uint32_t seen, steady_time deadline) override;
  void wake() override {}

 private:
  // The worker's side of the transport.
  class worker_end final : public transport {
   public:
    explicit worker_end(inline_transport& other) : other_(other) {}
    void send(int, frame f) override { other_.to_rank0_.push_back(std::move(f)); }
    bool receive(int& peer, frame& f) override;
    void broadcast(std::span<std::byte>, std::function<void()>) override { throw std::logic_error("there is no other node"); }
    bool transferring() const override { return false; }
    bool peers_ring() const override { return true; }
    std::uint32_t rings() const override { return 0; }
    bool look(std::uint32_t, const std::atomic<int>&, const expectation&) override { return true; }
    bool prepare_sleep(std::uint32_t) override { return false; }
    void sleep(std::uint32_t, steady_time) override {}
    void wake() override {}

   private:
    inline_transport& other_;
  };

  static bool pop(std::deque<frame>& from, frame& f);

  std::deque<frame> to_worker_;
  std::deque<frame> to_rank0_;
  worker_end worker_end_;
  worker worker_;
};

}  // namespace rankpool::detail

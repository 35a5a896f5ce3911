// Defines the transport between threads, and runs the workers and rank 0 on it.
#include "support/thread_cluster.hpp"

#include "dispatcher/pool.hpp"
#include "runner/fork_server.hpp"
#include "transport/transport.hpp"
#include "worker/worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace support {
namespace {

using namespace rankpool::detail;

constexpr int polls = 50;

/// The frames that have arrived at one side, and its doorbell.
class mailbox {
 public:
  void put(int from, const frame& f) {
    frame copy;  // a copy, because processes share no memory either
    copy.head.append(f.head.data(), f.head.size());
    for (const auto& b : f.bulk) {
      copy.bulk.push_back(b->make()(b->size()));
      std::ranges::copy(b->bytes(), copy.bulk.back()->bytes().begin());
    }
    {
      std::lock_guard lock(mutex_);
      frames_.emplace_back(from, std::move(copy));
    }
    ring(f.urgent);
  }

  bool take(int& from, frame& f) {
    std::lock_guard lock(mutex_);
    if (frames_.empty()) return false;
    from = frames_.front().first;
    f = std::move(frames_.front().second);
    frames_.pop_front();
    return true;
  }

  void ring(bool urgent) {
    {
      std::lock_guard lock(mutex_);
      rings_ += urgent ? urgent_ring : 1;
    }
    rung_.notify_all();
  }

  std::uint32_t rings() const { return rings_; }

  void sleep(std::uint32_t seen, steady_time deadline) {
    std::unique_lock lock(mutex_);
    rung_.wait_until(lock, deadline, [&] { return rings_ != seen; });
  }

  void doze(std::uint32_t seen, steady_time until) {
    std::unique_lock lock(mutex_);
    rung_.wait_until(lock, until, [&] { return (rings_ ^ seen) >= urgent_ring; });
  }

 private:
  static constexpr std::uint32_t urgent_ring = 1 << 16;  // urgent rings are counted in the upper half of the counter

  std::mutex mutex_;
  std::condition_variable rung_;
  std::deque<std::pair<int, frame>> frames_;
  std::atomic<std::uint32_t> rings_ = 0;
};

class thread_transport final : public transport {
 public:
  thread_transport(int own_number, std::shared_ptr<mailbox> own, std::vector<std::shared_ptr<mailbox>> peers)
      : own_number_(own_number), own_(std::move(own)), peers_(std::move(peers)) {}

  void send(int peer, frame f) override { peers_[static_cast<std::size_t>(peer)]->put(own_number_, f); }
  bool receive(int& peer, frame& f) override { return own_->take(peer, f); }
  void broadcast(std::span<std::byte>, std::function<void()>) override { throw std::logic_error("there is no other node"); }
  bool transferring() const override { return false; }
  bool peers_ring() const override { return true; }
  std::uint32_t rings() const override { return own_->rings(); }
  bool look(std::uint32_t seen, const std::atomic<int>& waiting_threads, const expectation&) override {
    for (int i = 0; i < polls; ++i) {
      if (own_->rings() != seen || waiting_threads > 0) return true;
      std::this_thread::yield();
    }
    return false;
  }
  bool prepare_sleep(std::uint32_t seen) override { return own_->rings() == seen; }
  void sleep(std::uint32_t seen, steady_time deadline) override { own_->sleep(seen, deadline); }
  void wake() override { own_->ring(true); }
  void doze(std::uint32_t seen, steady_time until) override { own_->doze(seen, until); }
  void nudge() override { own_->ring(false); }

 private:
  const int own_number_;
  const std::shared_ptr<mailbox> own_;
  const std::vector<std::shared_ptr<mailbox>> peers_;
};

}  // namespace

int run_on_threads(int workers, const std::function<int(rankpool::cluster&)>& program) {
  const fork_server server(true);  // before any thread is started
  const auto rank0 = std::make_shared<mailbox>();
  std::vector<std::shared_ptr<mailbox>> boxes;
  std::vector<rankpool::worker_info> infos;
  for (int w = 0; w < workers; ++w) {
    boxes.push_back(std::make_shared<mailbox>());
    infos.push_back({w + 1, "this-process", static_cast<int>(getpid())});
  }
  std::vector<std::jthread> threads;
  for (int w = 0; w < workers; ++w) {
    threads.emplace_back([&, w] {
      thread_transport link(w, boxes[static_cast<std::size_t>(w)], {rank0});
      (void)worker(link, {w + 1, infos[static_cast<std::size_t>(w)].host}).serve();
    });
  }
  pool_options options;
  options.runner_processes = true;
  const auto p = std::make_shared<pool>(std::make_unique<thread_transport>(0, rank0, boxes), infos, options);
  rankpool::cluster cluster = cluster_access::make(p);
  const int status = program(cluster);
  p->drain();
  p->end(status, std::make_exception_ptr(rankpool::pool_closed("the program has ended")), std::nullopt);
  return status;
}

}  // namespace support

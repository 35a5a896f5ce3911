// Defines the transport between threads, and runs the workers and rank 0 on it, or on sockets.
#include "support/thread_cluster.hpp"

#include "dispatcher/pool.hpp"
#include "runner/fork_server.hpp"
#include "transport/socket_transport.hpp"
#include "transport/transport.hpp"
#include "worker/worker.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
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

// The transports of rank 0 and of each worker.
struct links {
  std::shared_ptr<transport> rank_0;
  std::vector<std::shared_ptr<transport>> workers;
};

links through_memory(int workers) {
  const auto rank_0 = std::make_shared<mailbox>();
  std::vector<std::shared_ptr<mailbox>> boxes;
  links all;
  for (int w = 0; w < workers; ++w) {
    boxes.push_back(std::make_shared<mailbox>());
    all.workers.push_back(std::make_shared<thread_transport>(w, boxes.back(), std::vector{rank_0}));
  }
  all.rank_0 = std::make_shared<thread_transport>(0, rank_0, boxes);
  return all;
}

links through_sockets(int workers) {
  std::vector<int> of_rank_0;
  links all;
  for (int w = 0; w < workers; ++w) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    of_rank_0.push_back(ends[0]);
    all.workers.push_back(std::make_shared<socket_transport>(std::vector{ends[1]}, socket_transport::options()));
  }
  all.rank_0 = std::make_shared<socket_transport>(of_rank_0, socket_transport::options());
  return all;
}

}  // namespace

int run_on_threads(int workers, bool uses_sockets, const std::function<int(rankpool::cluster&)>& program) {
  const fork_server server(true);  // before any thread is started
  links all = uses_sockets ? through_sockets(workers) : through_memory(workers);
  pool_options options;
  options.runner_processes = true;
  std::vector<rankpool::worker_info> infos;
  for (int w = 0; w < workers; ++w) {
    infos.push_back({w + 1, "this-process", static_cast<int>(getpid())});
    options.nodes.push_back(uses_sockets ? w / 2 : 0);
  }
  std::vector<std::jthread> threads;
  for (int w = 0; w < workers; ++w) {
    threads.emplace_back([&, w] {
      (void)worker(*all.workers[static_cast<std::size_t>(w)], {w + 1, infos[static_cast<std::size_t>(w)].host}).serve();
    });
  }
  const auto p = std::make_shared<pool>(std::move(all.rank_0), infos, options);
  rankpool::cluster cluster = cluster_access::make(p);
  const int status = program(cluster);
  p->drain();
  p->end(status, std::make_exception_ptr(rankpool::pool_closed("the program has ended")), std::nullopt);
  return status;
}

}  // namespace support

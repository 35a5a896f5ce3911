#include <rankpool/cluster.hpp>

#include "dispatcher/pool.hpp"

namespace rankpool {

int cluster::num_workers() const { return static_cast<int>(pool_->workers().size()); }

std::vector<worker_info> cluster::workers() const { return pool_->workers_now(); }

bool cluster::survives_lost_workers() const { return pool_->survives_lost_workers(); }

cluster_statistics cluster::statistics() const { return pool_->statistics().of_all(); }

std::vector<worker_statistics> cluster::worker_statistics() const { return pool_->statistics().of_each(); }

void cluster::stop(const std::string& why) { pool_->stop_early(why); }

}  // namespace rankpool

// A program as a careful programmer writes it without a library, to measure a pool's overhead against: a manager that sends one
// task per message and keeps a few in flight on each worker.
//
//   mpirun -n 3 --oversubscribe --bind-to none ./hand_written_mpi MODE [ARGS]
//   MODE: throughput N | latency N | grain MICROSECONDS N | mixed N SEED | echo MIB REPEATS | batch N PER_MESSAGE |
//         alone MICROSECONDS N
//
// Two tasks are in flight per worker, or DEPTH in the environment. Prints `key value` lines as pool_bench does. Two modes measure
// limits of the machine: `batch` sends many null tasks in one message, and `alone` sends each worker all its work in one message,
// so that only its cores and clock count.
#include "workload.hpp"

#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace bench;

enum tag : int { tag_null = 1, tag_spin, tag_echo, tag_batch, tag_alone, tag_stop };

// ---- worker: replies to each message with a message of the same tag

template <class T>
void send_back(std::vector<T>& buffer, MPI_Status& status, MPI_Datatype type) {
  int count = 0;
  MPI_Get_count(&status, type, &count);
  buffer.resize(static_cast<std::size_t>(count));
  MPI_Recv(buffer.data(), count, type, 0, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Send(buffer.data(), count, type, 0, status.MPI_TAG, MPI_COMM_WORLD);
}

void work() {
  std::vector<double> array;
  std::vector<std::int64_t> batch;
  for (;;) {
    MPI_Status status;
    MPI_Probe(0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG == tag_echo) {
      send_back(array, status, MPI_DOUBLE);
    } else if (status.MPI_TAG == tag_batch) {
      send_back(batch, status, MPI_INT64_T);
    } else if (status.MPI_TAG == tag_alone) {
      double length_and_number[2] = {};
      MPI_Recv(length_and_number, 2, MPI_DOUBLE, 0, tag_alone, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      for (double done = 0; done < length_and_number[1]; ++done) (void)spin(length_and_number[0]);
      MPI_Send(length_and_number, 2, MPI_DOUBLE, 0, tag_alone, MPI_COMM_WORLD);
    } else {
      double x = 0;
      MPI_Recv(&x, 1, MPI_DOUBLE, 0, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      if (status.MPI_TAG == tag_stop) return;
      if (status.MPI_TAG == tag_spin) x = spin(x);
      MPI_Send(&x, 1, MPI_DOUBLE, 0, status.MPI_TAG, MPI_COMM_WORLD);
    }
  }
}

// ---- manager

int depth() {
  const char* given = std::getenv("DEPTH");
  return given == nullptr ? 2 : std::atoi(given);
}

// Sends each argument to a free worker. Returns the seconds until all results have arrived.
double farm(int workers, std::span<const double> arguments, tag kind) {
  const auto begin = clock_type::now();
  std::size_t sent = 0;
  const auto send_next = [&](int worker) {
    if (sent == arguments.size()) return;
    MPI_Send(&arguments[sent++], 1, MPI_DOUBLE, worker, kind, MPI_COMM_WORLD);
  };
  for (int d = 0; d < depth(); ++d) {
    for (int w = 1; w <= workers; ++w) send_next(w);
  }
  for (std::size_t done = 0; done < arguments.size(); ++done) {
    double result = 0;
    MPI_Status status;
    MPI_Recv(&result, 1, MPI_DOUBLE, MPI_ANY_SOURCE, kind, MPI_COMM_WORLD, &status);
    send_next(status.MPI_SOURCE);
  }
  return seconds_since(begin);
}

void latency(std::size_t n) {
  std::vector<double> us(n);
  for (double& u : us) {
    double x = 1;
    const auto begin = clock_type::now();
    MPI_Send(&x, 1, MPI_DOUBLE, 1, tag_null, MPI_COMM_WORLD);
    MPI_Recv(&x, 1, MPI_DOUBLE, 1, tag_null, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    u = seconds_since(begin) * 1e6;
  }
  print_latency(us);
}

void echo(std::size_t mib, int repeats) {
  const std::size_t count = mib << 17;
  const std::vector<double> data(count, 1.0);
  std::vector<double> back(count);
  std::vector<double> seconds;
  for (int r = 0; r <= repeats; ++r) {
    const auto begin = clock_type::now();
    MPI_Send(data.data(), static_cast<int>(count), MPI_DOUBLE, 1, tag_echo, MPI_COMM_WORLD);
    MPI_Recv(back.data(), static_cast<int>(count), MPI_DOUBLE, 1, tag_echo, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (r > 0) seconds.push_back(seconds_since(begin));  // the first repetition allocates the pages
  }
  print_bandwidth(mib, seconds);
}

void batch(int workers, std::size_t n, std::size_t per_message) {
  std::vector<std::int64_t> tasks(per_message, 1);
  const int count = static_cast<int>(per_message);
  const auto begin = clock_type::now();
  std::size_t sent = 0;
  const auto send_next = [&](int worker) {
    if (sent >= n) return;
    MPI_Send(tasks.data(), count, MPI_INT64_T, worker, tag_batch, MPI_COMM_WORLD);
    sent += per_message;
  };
  for (int d = 0; d < depth(); ++d) {
    for (int w = 1; w <= workers; ++w) send_next(w);
  }
  for (std::size_t done = 0; done < sent; done += per_message) {
    MPI_Status status;
    MPI_Recv(tasks.data(), count, MPI_INT64_T, MPI_ANY_SOURCE, tag_batch, MPI_COMM_WORLD, &status);
    send_next(status.MPI_SOURCE);
  }
  std::printf("batch%zu_tasks_per_s %.0f\n", per_message, static_cast<double>(sent) / seconds_since(begin));
}

double alone(int workers, double us, std::size_t n) {
  const auto begin = clock_type::now();
  double share[2] = {us, static_cast<double>(n) / workers};
  for (int w = 1; w <= workers; ++w) MPI_Send(share, 2, MPI_DOUBLE, w, tag_alone, MPI_COMM_WORLD);
  for (int w = 1; w <= workers; ++w) {
    for (int here = 0; here == 0;) {  // a blocking receive would keep a core busy
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      MPI_Iprobe(w, tag_alone, MPI_COMM_WORLD, &here, MPI_STATUS_IGNORE);
    }
    MPI_Recv(share, 2, MPI_DOUBLE, w, tag_alone, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  return seconds_since(begin);
}

void manage(int workers, const arguments& args) {
  farm(workers, std::vector<double>(64), tag_null);  // the first messages are slower
  const std::string mode = args.text(0, "throughput");
  if (mode == "throughput") {
    const std::vector<double> tasks(args.count(1, 1'000'000), 1.0);
    std::printf("submit_tasks_per_s %.0f\n", static_cast<double>(tasks.size()) / farm(workers, tasks, tag_null));
  } else if (mode == "latency") {
    latency(args.count(1, 10'000));
  } else if (mode == "grain") {
    const double us = args.number(1, 100);
    const std::vector<double> tasks(args.count(2, 20'000), us);
    print_grain(us, tasks.size(), workers, farm(workers, tasks, tag_spin));
  } else if (mode == "alone") {
    const double us = args.number(1, 100);
    const std::size_t n = args.count(2, 20'000);
    print_grain(us, n, workers, alone(workers, us, n));
  } else if (mode == "mixed") {
    const auto tasks = mixed_lengths(args.count(1, 500), args.count(2, 1));
    print_mixed(tasks, workers, farm(workers, tasks, tag_spin));
  } else if (mode == "echo") {
    echo(args.count(1, 64), static_cast<int>(args.count(2, 5)));
  } else if (mode == "batch") {
    batch(workers, args.count(1, 1'000'000), args.count(2, 64));
  } else {
    throw std::invalid_argument("unknown mode '" + mode + "'");
  }
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int status = 0;
  if (rank != 0) {
    work();
  } else {
    try {
      manage(size - 1, arguments(argc, argv));
    } catch (const std::exception& e) {
      std::fprintf(stderr, "hand_written_mpi: %s\n", e.what());
      status = 2;
    }
    double nothing = 0;
    for (int w = 1; w < size; ++w) MPI_Send(&nothing, 1, MPI_DOUBLE, w, tag_stop, MPI_COMM_WORLD);
  }
  MPI_Finalize();
  return status;
}

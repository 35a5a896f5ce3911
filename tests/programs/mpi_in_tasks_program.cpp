// Tasks call MPI while their worker's attendant thread also calls it. PMPI detects when two threads are in MPI at the same time.
// Then MPI must have been initialised with MPI_THREAD_MULTIPLE.
//
//   mpi_in_tasks_program               run() initialises MPI
//   mpi_in_tasks_program serialized    the program initialises MPI below MPI_THREAD_MULTIPLE: a second pool over ranks is refused
#include <rankpool/rankpool.hpp>

#include <mpi.h>
#include <unistd.h>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> threads_in_mpi = 0;
std::atomic<bool> met = false;  // two threads were in MPI at the same time

class call {
 public:
  call() {
    if (threads_in_mpi.fetch_add(1) > 0) met = true;
  }
  call(const call&) = delete;
  call& operator=(const call&) = delete;
  ~call() { threads_in_mpi.fetch_sub(1); }
};

}  // namespace

extern "C" {

int MPI_Improbe(int from, int tag, MPI_Comm comm, int* found, MPI_Message* message, MPI_Status* status) {
  const call scope;
  return PMPI_Improbe(from, tag, comm, found, message, status);
}
int MPI_Test(MPI_Request* request, int* done, MPI_Status* status) {
  const call scope;
  return PMPI_Test(request, done, status);
}
int MPI_Isend(const void* data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request* request) {
  const call scope;
  return PMPI_Isend(data, n, type, to, tag, comm, request);
}
int MPI_Sendrecv(const void* out, int n, MPI_Datatype type, int to, int tag, void* in, int most, MPI_Datatype in_type, int from,
                 int in_tag, MPI_Comm comm, MPI_Status* status) {
  const call scope;
  return PMPI_Sendrecv(out, n, type, to, tag, in, most, in_type, from, in_tag, comm, status);
}

}  // extern "C"

namespace {

using namespace std::chrono_literals;
namespace mpi = boost::mpi;

/// Sends numbers to its own rank for a while. Returns false if one of them differs on arrival.
bool exchange_with_itself(const std::vector<char>&) {
  const auto until = std::chrono::steady_clock::now() + 20ms;
  for (int n = 0; std::chrono::steady_clock::now() < until; ++n) {
    int received = -1;
    MPI_Sendrecv(&n, 1, MPI_INT, 0, 1, &received, 1, MPI_INT, 0, 1, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    if (received != n) return false;
  }
  return true;
}

/// Writes a file with MPI-IO. Returns its size.
long write_file(int n) {
  const auto path = std::filesystem::temp_directory_path() / ("rankpool-mpi-io-" + std::to_string(getpid()));
  MPI_File file = MPI_FILE_NULL;
  MPI_File_open(MPI_COMM_SELF, path.c_str(), MPI_MODE_CREATE | MPI_MODE_WRONLY, MPI_INFO_NULL, &file);
  for (int i = 0; i < n; ++i) MPI_File_write(file, &i, 1, MPI_INT, MPI_STATUS_IGNORE);
  MPI_File_close(&file);
  const auto size = static_cast<long>(std::filesystem::file_size(path));
  std::filesystem::remove(path);
  return size;
}

int level(int) {
  int provided = MPI_THREAD_SINGLE;
  MPI_Query_thread(&provided);
  return provided;
}

bool have_met(int) { return met; }

void program(rankpool::cluster& cluster) {
  rankpool::executor pool(cluster);
  bool right = true;
  bool both = false;
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!both && std::chrono::steady_clock::now() < until) {
    std::vector<rankpool::future<bool>> tasks;
    for (int i = 0; i < 20; ++i) {
      tasks.push_back(pool.submit(exchange_with_itself, std::vector<char>(1 << 20)));
      std::this_thread::sleep_for(5ms);  // the attendant thread receives the messages that arrive during a task
    }
    for (const auto& task : tasks) right = task.result() && right;
    for (const bool there : pool.run_everywhere(have_met, 0)) both = both || there;
  }
  std::printf("numbers: %s\n", right ? "right" : "wrong");
  std::printf("file: %ld bytes\n", pool.submit(write_file, 1000).result());
  if (!both) {
    std::printf("threads: were never in MPI at once, which this test is about\n");
  } else if (pool.submit(level, 0).result() < MPI_THREAD_MULTIPLE) {
    std::printf("threads: were in MPI at once below MPI_THREAD_MULTIPLE\n");
  } else {
    std::printf("threads: may be in MPI at once\n");
  }
}

const mpi::communicator* copy = nullptr;

/// Starts a second pool on a copy of the communicator. Returns its error.
std::string start_second_pool(int) {
  try {
    rankpool::with_executor(*copy, 0, [](rankpool::executor&) {});
  } catch (const rankpool::error& e) {
    return e.what();
  }
  return "it was not refused";
}

void own_mpi(int& argc, char**& argv) {
  const mpi::environment environment(argc, argv, mpi::threading::serialized);
  const mpi::communicator world;
  const mpi::communicator second(world, mpi::comm_duplicate);
  copy = &second;
  rankpool::with_executor(world, 0, [](rankpool::executor& pool) {
    std::printf("program: %s\n", start_second_pool(0).c_str());
    std::printf("task: %s\n", pool.submit(start_second_pool, 0).result().c_str());
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "serialized") {
    own_mpi(argc, argv);
    return 0;
  }
  return rankpool::run(argc, argv, program);
}

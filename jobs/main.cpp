// The command `rankpool JOB [options]`: reads the command line, then runs the chosen job on rank 0 of the cluster.
//
// Exit status: 0 done, 1 a task failed or a result could not be written, 2 usage, 75 stopped early and resumable,
// 128+n after signal n (a closed stdout counts as SIGPIPE).
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <new>
#include <sstream>
#include <vector>

#include "support/command.hpp"
#include "support/file_io.hpp"
#include "support/in_quotes.hpp"
#include "support/output.hpp"
#include "support/unfinished_file.hpp"

#ifndef RANKPOOL_VERSION
#define RANKPOOL_VERSION "unknown"
#endif

namespace {

enum exit_status { done = 0, failed = 1, usage = 2 };

/// A standard stream that is closed goes on failing: else the next file that is opened would be taken for it.
void occupy_closed_streams() {
  constexpr std::array unusable{O_WRONLY, O_RDONLY, O_RDWR};  // messages may be lost, input and results not
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) < 0) (void)!::open("/dev/null", unusable[static_cast<std::size_t>(stream)]);
  }
}

/// This process's rank as its launcher tells it before MPI starts; -1 without a launcher.
int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
    if (const char* rank = std::getenv(name)) return std::atoi(rank);
  }
  return -1;
}

/// What a rank does before a signal ends it: nothing, for half a second. Another handler may have called this one.
void wait_for_rank_0(int signal) {
  timespec left{.tv_sec = 0, .tv_nsec = 500'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
  struct sigaction end {};
  end.sa_handler = SIG_DFL;
  ::sigaction(signal, &end, nullptr);
  ::raise(signal);  // blocked until the handler returns; the default action then ends the process
}

/// mpirun passes a signal on to all ranks, and kills those that are left as soon as one has died of it. It must not be a
/// worker, which has nothing to do, while rank 0 still removes its unfinished files.
void let_rank_0_leave_first() {
  struct sigaction action {};
  action.sa_handler = wait_for_rank_0;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&action.sa_mask, signal);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction previous {};
    // What is ignored, as under nohup, stays so.
    if (::sigaction(signal, nullptr, &previous) == 0 && previous.sa_handler == SIG_DFL) ::sigaction(signal, &action, nullptr);
  }
}

/// One line on stderr, whatever the message holds.
void complain(const std::string& job, std::string message) {
  std::ranges::replace(message, '\n', ' ');
  std::cerr << "rankpool" << (job.empty() ? "" : " " + job) << ": " << jobs::printable(message) << std::endl;
}

/// What CLI11 has to say, in words that name the job or the option.
std::string description(const CLI::App& app, const CLI::Error& error) {
  const auto chosen = app.get_subcommands();
  const auto strange = chosen.empty() ? app.remaining() : chosen.front()->remaining();
  if (chosen.empty()) {
    const std::string problem = strange.empty()                    ? "a job is missing"
                                : strange.front().starts_with('-') ? "a job is missing before " + jobs::in_quotes(strange.front())
                                                                   : "there is no job " + jobs::in_quotes(strange.front());
    return problem + "; rankpool --help lists them";
  }
  const std::string help = "; rankpool " + chosen.front()->get_name() + " --help lists what it takes";
  if (const auto early = app.remaining(); !early.empty())
    return jobs::in_quotes(early.front()) + " stands before the job, and options stand after it" + help;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) && !strange.empty())
    return "it takes no " + jobs::in_quotes(strange.front()) + help;
  return error.what() + help;
}

/// Prints what --help or --version ask for.
int answer(const CLI::App& app, const CLI::Success& request) {
  std::ostringstream text;
  const int status = app.exit(request, text, text);
  const int error = jobs::write_all(STDOUT_FILENO, text.str());
  if (error == 0) return status;
  complain("", std::string("cannot write standard output: ") + std::strerror(error));
  return failed;
}

/// How many workers are where, in the order of their ranks.
void print_host_map(const rankpool::cluster& cluster) {
  const auto workers = cluster.workers();
  for (std::size_t first = 0; first < workers.size();) {
    std::size_t last = first;
    while (last + 1 < workers.size() && workers[last + 1].host == workers[first].host) ++last;
    std::cerr << "rankpool: " << workers[first].host << ": " << last - first + 1 << " workers, ranks " << workers[first].rank
              << " to " << workers[last].rank << '\n';
    first = last + 1;
  }
}

/// CPU seconds of this process.
double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Runs the chosen job with what surrounds every job: progress, and the report that --json prints.
int run_reported(rankpool::cluster& cluster, const std::string& job, jobs::command_context& context) {
  const auto begin = std::chrono::steady_clock::now();
  context.open_journal();
  if (context.json) context.report.start(job, context.parameters);
  if (!context.quiet) {
    context.shown.start(job, [&cluster, journal = context.journal] { return cluster.statistics().tasks + journal.taken_over(); });
  }
  using ending = jobs::run_report::ending;
  const auto end = [&](ending how, const std::string& error) {
    context.shown.stop();
    const std::uint64_t taken_over = context.journal.taken_over();
    if (taken_over > 0 && !context.quiet) {
      complain(job, std::to_string(taken_over) + " finished tasks were taken from the journal " + context.resumable.journal);
    }
    const auto statistics = cluster.statistics();
    context.report.finish(
        {.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
         .cpu_seconds = own_cpu_seconds() + std::chrono::duration<double>(statistics.cpu_time).count(),
         .tasks = statistics.tasks,
         .taken_over = taken_over,
         .workers = context.max_workers > 0 ? std::min(context.max_workers, cluster.num_workers()) : cluster.num_workers()},
        how, error);
  };
  const auto end_by = [&end](ending how, const std::exception& error) {
    try {
      end(how, error.what());
    } catch (const jobs::output_error&) {  // stdout as well: what came first is what to tell
    }
  };
  try {
    const int status = context.program(cluster);
    end(status == done ? ending::done : ending::failed, "some tasks failed");
    return status;
  } catch (const rankpool::stopped_error& error) {
    end_by(ending::stopped, error);
    throw;
  } catch (const std::exception& error) {
    end_by(ending::failed, error);
    throw;
  }
}

/// Turns what a job may throw about its surroundings into a line and a status. Other errors pass through.
template <class Work>
int told(const std::string& job, Work work) {
  std::signal(SIGPIPE, SIG_IGN);  // write(2) then says EPIPE, and the job ends in good order
  try {
    return work();
  } catch (const jobs::usage_error& error) {
    complain(job, error.what());
    return usage;
  } catch (const jobs::verification_error& error) {
    complain(job, error.what());
    return failed;
  } catch (const jobs::output_error& error) {
    complain(job, error.what());
    return error.code().value() == EPIPE ? 128 + SIGPIPE : failed;
  } catch (const jobs::file_error& error) {
    const rankpool::remote_info* where = rankpool::remote_context(error);
    complain(job, error.what() + (where == nullptr ? "" : " (on rank " + std::to_string(where->rank) + ", " + where->host + ")"));
    return failed;
  } catch (const rankpool::journal_error& error) {
    complain(job, error.what());
    return failed;
  } catch (const std::bad_alloc& error) {
    if (rankpool::remote_context(error) != nullptr) throw;
    complain(job, "rank 0 has too little memory for what it is asked for");
    return failed;
  }
}

/// Runs the chosen job on rank 0. What its tasks throw passes through: rankpool::run reports it.
int run_job(rankpool::cluster& cluster, const std::string& job, jobs::command_context& context, bool checked) {
  return told(job, [&] {
    if (!checked && context.check) context.check();
    if (context.verbose) print_host_map(cluster);
    return run_reported(cluster, job, context);
  });
}

/// Runs what is not a job, in this process.
int run_alone(const std::string& name, jobs::command_context& context, bool checked) {
  try {
    return told(name, [&] {
      if (!checked && context.check) context.check();
      return context.own_program();
    });
  } catch (const std::exception& error) {
    complain(name, error.what());
    return failed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  jobs::command_context context;
  context.words.assign(argv + std::min(argc, 1), argv + argc);
  CLI::App app("Workloads on a process pool over MPI. Without options a job does the tutorial's example of its name.", "rankpool");
  app.set_version_flag("--version", "rankpool " RANKPOOL_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(24);
  jobs::add_all_jobs(app, context);

  // Every rank reads the same command line and comes to the same end; one of them says so.
  const int rank = launched_rank();
  const bool prints = rank <= 0;
  if (rank > 0) let_rank_0_leave_first();
  const auto job_name = [&app] {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? std::string() : chosen.front()->get_name();
  };
  try {
    app.parse(std::vector(context.words.rbegin(), context.words.rend()));  // which CLI11 takes from the end
    // Under a launcher only rank 0 is sure to see the files that are meant: it looks once the others are there.
    if (rank < 0 && context.check) context.check();
  } catch (const CLI::Success& request) {  // --help, --version
    return prints ? answer(app, request) : done;
  } catch (const CLI::Error& error) {
    if (prints) complain(job_name(), description(app, error));
    return usage;
  } catch (const jobs::usage_error& error) {
    if (prints) complain(job_name(), error.what());
    return usage;
  }

  if (context.own_program) return prints ? run_alone(job_name(), context, rank < 0) : done;
  const rankpool::run_options stopping = context.resumable.run_options();
  if (stopping.stop_on_signal && rank <= 0) jobs::remove_unfinished_on_signals();  // which the second signal comes to
  return rankpool::run(
      argc, argv, [&, job = job_name()](rankpool::cluster& cluster) { return run_job(cluster, job, context, rank < 0); }, stopping);
}

// The command `rankpool JOB [options]`: reads the command line, then runs the chosen job on rank 0 of the cluster.
//
// Exit status: 0 done, 1 a task failed or a result could not be written, 2 usage, 75 stopped early and resumable,
// 128+n after signal n (a closed stdout counts as SIGPIPE).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "engine/command_line.hpp"
#include "report/report.hpp"
#include "support/file_io.hpp"
#include "support/in_quotes.hpp"

namespace {

enum exit_status { done = 0, failed = 1, usage = 2 };

/// Opens closed standard streams on /dev/null. Otherwise, the next opened file would get their descriptor.
void occupy_closed_streams() {
  constexpr std::array unusable{O_WRONLY, O_RDONLY, O_RDWR};  // reads of stdin and writes to stdout fail; messages are lost
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) < 0) (void)!::open("/dev/null", unusable[static_cast<std::size_t>(stream)]);
  }
}

/// Returns the rank that a launcher passes in the environment before MPI starts; -1 without a launcher.
int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
    if (const char* rank = std::getenv(name)) return std::atoi(rank);
  }
  return -1;
}

/// Waits for half a second, then ends this rank by the signal. Another signal handler may have called this one.
void wait_for_rank_0(int signal) {
  timespec left{.tv_sec = 0, .tv_nsec = 500'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
  struct sigaction end {};
  end.sa_handler = SIG_DFL;
  ::sigaction(signal, &end, nullptr);
  ::raise(signal);  // blocked until the handler returns; the default action then ends the process
}

/// Delays the end of a worker on a signal. mpirun passes a signal to all ranks, and kills the remaining ranks when one has ended.
/// Rank 0 needs this time to remove its unfinished files.
void let_rank_0_leave_first() {
  struct sigaction action {};
  action.sa_handler = wait_for_rank_0;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&action.sa_mask, signal);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction previous {};
    // A signal that is ignored, as with nohup, stays ignored.
    if (::sigaction(signal, nullptr, &previous) == 0 && previous.sa_handler == SIG_DFL) ::sigaction(signal, &action, nullptr);
  }
}

/// Prints the message as one line on stderr.
void complain(const std::string& job, std::string message) {
  std::ranges::replace(message, '\n', ' ');
  std::cerr << "rankpool" << (job.empty() ? "" : " " + job) << ": " << jobs::printable(message) << std::endl;
}

/// Prints the answer to --help or --version, or a usage error. Returns the exit status.
int print_answer(const jobs::command_line& line) {
  const auto& [status, text] = line.answer();
  if (status == usage) {
    complain(line.name(), text);
    return status;
  }
  const int error = jobs::write_all(STDOUT_FILENO, text);
  if (error == 0) return status;
  complain("", std::string("cannot write standard output: ") + std::strerror(error));
  return failed;
}

/// Prints the number of workers on each host, in order of rank, and what the loss of one does.
void describe_workers(const rankpool::cluster& cluster) {
  const auto workers = cluster.workers();
  for (std::size_t first = 0; first < workers.size();) {
    std::size_t last = first;
    while (last + 1 < workers.size() && workers[last + 1].host == workers[first].host) ++last;
    std::cerr << "rankpool: " << workers[first].host << ": " << last - first + 1 << " workers, ranks " << workers[first].rank
              << " to " << workers[last].rank << '\n';
    first = last + 1;
  }
  std::cerr << "rankpool: "
            << (cluster.survives_lost_workers() ? "if a worker is lost, its tasks run again on others\n"
                                                : "if a worker is lost, the run ends\n");
}

/// Runs the chosen job to its end or to the limit of --max-failures. Returns the message about the limit; empty if all tasks ran.
std::string run_to_limit(jobs::job_run& run, const jobs::command_line& line) {
  try {
    line.chosen_job()->run(run);
    if (!run.is_cut_off()) return {};
  } catch (const rankpool::error& error) {
    if (!run.is_cut_off_by(error)) throw;
  }
  if (line.chosen_job()->prints(line.settings())) run.out().flush();
  return run.summary_of_limit();
}

/// Runs the chosen job, with progress and the report for --json.
int run_reported(rankpool::cluster& cluster, const jobs::command_line& line) {
  jobs::job_run run(cluster, line.settings(), line.name(), line.subject());
  run.start(line.parameters());
  try {
    if (line.chosen_job()->prints(line.settings())) run.out();
    if (const std::string limit = run_to_limit(run, line); !limit.empty()) {
      run.fail(jobs::run_report::ending::failed, limit);
      complain(line.name(), limit);
      return failed;
    }
    run.finish();
    return run.exit_status();
  } catch (const rankpool::stopped_error& error) {
    run.fail(jobs::run_report::ending::stopped, error.what());
    throw;
  } catch (const std::exception& error) {
    const std::string summary = run.summary_of_failure(error);
    run.fail(jobs::run_report::ending::failed, error.what());
    if (!summary.empty()) complain(line.name(), summary);
    throw;
  }
}

/// Converts errors of options, files and the system to a message and an exit status. Other errors pass through.
template <class Work>
int reporting_errors(const std::string& job, Work work) {
  std::signal(SIGPIPE, SIG_IGN);  // write(2) then fails with EPIPE, and the job ends normally
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
  } catch (const jobs::report_error& error) {
    complain(job, error.what());
    return failed;
  } catch (const std::bad_alloc& error) {
    if (rankpool::remote_context(error) != nullptr) throw;
    complain(job, "out of memory on rank 0");
    return failed;
  }
}

/// Runs the chosen job on rank 0, unless its options were `refused`. Exceptions of its tasks pass through; rankpool::run() reports
/// them.
int run_job(rankpool::cluster& cluster, const jobs::command_line& line, bool checked,
            const std::optional<jobs::usage_error>& refused) {
  return reporting_errors(line.name(), [&] {
    if (refused) throw *refused;
    if (!checked) line.check();
    if (line.settings().verbose) describe_workers(cluster);
    return run_reported(cluster, line);
  });
}

/// Runs a subcommand that is not a job, in this process.
int run_alone(const jobs::command_line& line, bool checked) {
  try {
    return reporting_errors(line.name(), [&] {
      if (!checked) line.check();
      return line.chosen_command()->run();
    });
  } catch (const std::exception& error) {
    complain(line.name(), error.what());
    return failed;
  }
}

/// Writes the page of --report from the trace of the run. Returns the exit status of a run that has ended with `status`.
int describe_run(const jobs::command_line& line, int status) {
  const jobs::run_settings& given = line.settings();
  if (given.report.empty()) return status;
  const std::string trace = line.trace_file();
  const int written = reporting_errors(line.name(), [&] {
    jobs::write_report(trace, {.path = given.report, .force = given.output.force, .option = "--report"}, !given.trace.empty());
    if (given.trace.empty()) ::unlink(trace.c_str());
    return done;
  });
  return status == done ? written : status;
}

/// Makes --workers N start N workers, instead of the number of cores or of RANKPOOL_WORKERS. RANKPOOL_WORKERS=0 has precedence: it
/// runs everything in one process.
void start_as_many_as(int workers) {
  const char* const given = std::getenv("RANKPOOL_WORKERS");
  const std::string_view text = given == nullptr ? "" : given;
  if (!text.empty() && text.find_first_not_of('0') == text.npos) return;
  ::setenv("RANKPOOL_WORKERS", std::to_string(workers).c_str(), 1);
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  jobs::command_line line;
  // All ranks parse the same command line with the same result; only one prints messages.
  const int rank = launched_rank();
  const bool is_launched = rank >= 0;
  const bool prints = rank <= 0;
  if (rank > 0) let_rank_0_leave_first();
  if (!line.parse({argv + std::min(argc, 1), argv + argc})) return prints ? print_answer(line) : line.answer().status;
  try {
    // Under a launcher, only rank 0 is sure to see the files: it runs the checks once all ranks have started.
    if (!is_launched) {
      line.check();
      if (line.chosen_command() == nullptr) line.check_descriptions();
    }
  } catch (const jobs::usage_error& error) {
    complain(line.name(), error.what());
    return usage;
  }

  if (line.chosen_command() != nullptr) return prints ? run_alone(line, !is_launched) : done;
  if (!is_launched && line.settings().max_workers > 0) start_as_many_as(line.settings().max_workers);
  rankpool::run_options options = line.settings().resumable.run_options();
  options.trace = line.trace_file();
  std::optional<jobs::usage_error> refused;  // reported once all ranks have started
  try {
    if (rank == 0) line.check_descriptions();
  } catch (const jobs::usage_error& error) {
    refused = error;
    options.trace.clear();
  }
  bool is_rank_0 = false;
  const int status = rankpool::run(
      argc, argv,
      [&](rankpool::cluster& cluster) {
        is_rank_0 = true;
        return run_job(cluster, line, !is_launched, refused);
      },
      options);
  return is_rank_0 && !options.trace.empty() ? describe_run(line, status) : status;
}

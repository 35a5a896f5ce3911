// Defines the reports about tasks that have ended their process, and what becomes of them on rank 0.
#include "codec/runner_errors.hpp"

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <new>
#include <typeinfo>

namespace rankpool::detail {
namespace {

std::atomic<std::uint64_t> memory_limit = 0;
std::atomic<bool> exceeded_memory = false;

// Returns a size with a unit, such as "1.5 GiB".
std::string size_text(std::uint64_t bytes) {
  static constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (number >= 1024 && unit + 1 < std::size(units)) {
    number /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %s", number, units[unit]);
  return text;
}

std::string seconds_text(std::uint32_t milliseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", milliseconds / 1000.0);
  return text;
}

}  // namespace

task_timed_out::task_timed_out(std::uint32_t milliseconds) {
  reason_ = "it exceeded its time limit of ";
  reason_ += seconds_text(milliseconds);
  reason_ += " s";
}

std::string closed_descriptors_message(const std::string& rank) {
  return "a task on " + rank +
         " closed file descriptors that belong to rankpool and MPI, so its process ends: a task must close only the descriptors "
         "that it has opened";
}

void report_memory_limit(std::uint64_t bytes) {
  memory_limit = bytes;
  translate_exceptions([] {
    try {
      throw;
    } catch (const std::bad_array_new_length&) {  // no size would do
    } catch (const std::bad_alloc&) {
      exceeded_memory = true;
      std::string reason = "it exceeded the memory limit of ";
      reason += size_text(memory_limit);
      throw task_lost(std::move(reason), {});
    } catch (...) {
    }
  });
}

task_lost result_not_read() {
  return {"its result could not be read from its process: the process has ended, or memory is short", {}};
}

bool has_exceeded_memory() { return exceeded_memory; }

namespace {

void encode_task_lost(byte_writer& out) {
  try {
    throw;
  } catch (const task_lost& e) {
    out.put<std::int32_t>(e.about().signal);
    out.put<std::int32_t>(e.about().exit_status);
    out.put_string(e.about().stderr_tail);
  }
}

std::string subject(const remote_info& where) {
  std::string text = "task ";
  text += std::to_string(where.task);
  text += " on rank ";
  text += std::to_string(where.rank);
  text += " (";
  text += where.host;
  text += ")";
  return text;
}

std::exception_ptr decode_task_lost(byte_reader& in, remote_info where, std::string reason, const std::exception_ptr& nested) {
  worker_lost::details about;
  about.rank = where.rank;
  about.host = where.host;
  about.signal = in.get<std::int32_t>();
  about.exit_status = in.get<std::int32_t>();
  about.stderr_tail = in.get_string();
  where.type_name = "rankpool::worker_lost";
  std::string text = subject(where);
  text += " failed: ";
  text += reason;
  if (!about.stderr_tail.empty()) {
    text += "; its last output on stderr:\n";
    text += about.stderr_tail;
    while (text.back() == '\n') text.pop_back();
  }
  std::string copy = text;
  return make_remote(worker_lost(text, std::move(about)), std::move(where), std::move(copy), nested);
}

std::exception_ptr decode_task_timed_out(byte_reader&, remote_info where, std::string reason, const std::exception_ptr& nested) {
  where.type_name = "rankpool::timeout_error";
  std::string text = subject(where);
  text += " failed: ";
  text += reason;
  std::string copy = text;
  return make_remote(timeout_error(text), std::move(where), std::move(copy), nested);
}

}  // namespace

exception_type task_lost_type() { return {&typeid(task_lost), &encode_task_lost, &decode_task_lost}; }

exception_type task_timed_out_type() {
  return {&typeid(task_timed_out), [](byte_writer&) {}, &decode_task_timed_out};
}

}  // namespace rankpool::detail

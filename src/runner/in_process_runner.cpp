// Calls a task in this process, and encodes its result or its exception.
#include "runner/in_process_runner.hpp"

#include "call/current_worker.hpp"
#include "runner/copy_guard.hpp"

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/detail/codec/exception_codec.hpp>

namespace rankpool::detail {

void in_process_runner::run(std::span<const call> calls, const answer_handler& on_answer) {
  for (const call& what : calls) on_answer(run(what));
}

task_runner::answer in_process_runner::run(const call& what) {
  answer a;
  const copy_guard original;
  try {
    const in_task scope(place_);
    // Resolves the function in every call, because the previous task may have unloaded its library.
    const auto function = resolve_function<task_function>(what.function);
    byte_reader in(what.payload.data(), what.payload.size(), what.out_of_band);
    byte_writer out(a.bytes, &a.out_of_band);
    function(in, out);
  } catch (...) {
    a.threw = true;
    a.bytes.clear();
    a.out_of_band.clear();
    byte_writer out(a.bytes);
    encode_current_exception(out);
  }
  original.check();
  return a;
}

}  // namespace rankpool::detail

#include "vector_targets.hpp"

#include "support/vector_targets.hpp"

#include <hwy/highway.h>

#include <set>

namespace {

/// Restores the choice of the best instruction set, also after a failed check.
struct restored_choice {
  ~restored_choice() { hwy::GetChosenTarget().Update(hwy::SupportedTargets()); }
};

}  // namespace

void support::for_each_vector_target(const std::function<void(const std::string&)>& check) {
  const restored_choice restored;
  std::set<std::int64_t> targets{HWY_STATIC_TARGET};  // the baseline is supported by every processor
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) targets.insert(target);
  for (const std::int64_t target : targets) {
    hwy::GetChosenTarget().Update(target);
    check(hwy::TargetName(target));
  }
}

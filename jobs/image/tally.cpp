#include "image/tally.hpp"

#include <iostream>

namespace jobs {

void tally::add(std::uint64_t pixels) {
  ++done_;
  pixels_ += pixels;
  run_.shown().set(done_ + failed(), pictures_);
}

void tally::add_failure(const std::string& problem, bool is_wrong) {
  ++(is_wrong ? wrong_ : failed_);
  run_.shown().count_failure();
  run_.shown().make_way();
  std::cerr << "rankpool image: " + problem + "\n";
  run_.shown().set(done_ + failed(), pictures_);
}

int tally::report() {
  if (prints_) {
    output out(run_);
    out.print("Pictures: ", done_, " of ", pictures_, ", ", pixels_, " pixels\n");
    out.finish();
  }
  if (left_out_ > 0) {
    run_.shown().make_way();
    std::cerr << "rankpool image: " +
                     failure_limit::summary(failed(), left_out_, run_.has_journal(), "picture", run_.failures().option()) + "\n";
  }
  run_.report().add("pictures", done_);
  run_.report().add("failed", failed());
  run_.report().add("pixels", pixels_);
  if (run_.verifies() && done_ + failed() > 0) {
    run_.verified(wrong_ == 0, "pixels of every strip, picked at random and at the edges, are what the filter's definition gives",
                  {.verified = done_, .failed = failed_, .noun = "picture"});
  }
  return failed_ + left_out_ == 0 ? 0 : 1;
}

}  // namespace jobs

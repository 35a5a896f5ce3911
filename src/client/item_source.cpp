#include <rankpool/detail/client/item_source.hpp>

#include <algorithm>
#include <utility>

namespace rankpool::detail {

void packed_source::append(item_block block) {
  if (!block.ends.empty()) blocks_.push_back(std::move(block));
}

void packed_source::cut(byte_writer& out, std::uint64_t, std::uint64_t count) {
  while (count > 0) {
    item_block& block = blocks_.front();
    const std::size_t taken = std::min<std::uint64_t>(count, block.ends.size() - at_);
    const std::uint64_t begin = at_ == 0 ? 0 : block.ends[at_ - 1];
    out.raw(block.bytes.data() + begin, block.ends[at_ + taken - 1] - begin);
    count -= taken;
    at_ += taken;
    if (at_ == block.ends.size()) {
      blocks_.pop_front();
      at_ = 0;
    }
  }
}

}  // namespace rankpool::detail

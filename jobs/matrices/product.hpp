// The product of two matrices over a pool: each task makes a tile of it, from a band of rows of A and a band of columns of B.
//
// Into a .npy file, which workers write tile by tile, or as lines of text, in order. Rank 0 sees no number of the former.
#pragma once

#include <cstdint>
#include <string>

#include "matrices/source.hpp"
#include "matrices/tiles.hpp"
#include "support/usage_error.hpp"
#include "engine/output.hpp"

namespace jobs {

struct product {
  matrix_source a;
  matrix_source b;

  /// Where it goes, or nowhere yet.
  matrix_target target;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& target;
  }
};

/// Tiles of a product for so many workers; `rows_per_tile` other than 0 decides their rows.
tiles tiles_of_product(const product& asked, int workers, std::uint64_t rows_per_tile);

/// The task: writes one tile of `work.target`, a file that has its size already. Returns how many numbers those are.
std::uint64_t write_product(const product& work, const block& tile);

/// The task for text: the rows of one tile, as wide as the product.
std::string product_text(const product& work, const block& tile);

}  // namespace jobs

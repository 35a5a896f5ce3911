// The product of two matrices on a pool: each task computes a tile from a band of rows of A and a band of columns of B.
//
// Workers write tiles into a .npy file, of which rank 0 sees only the header; or the product is printed as text, in order.
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

  /// The output file, or empty if there is none yet.
  matrix_target target;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& target;
  }
};

/// Divides a product into tiles for so many workers. If `rows_per_tile` is not 0, it sets the number of rows per tile.
tiles tiles_of_product(const product& asked, int workers, std::uint64_t rows_per_tile);

/// The task for a file: writes one tile of `work.target`, which has its full size. Returns how many numbers it wrote.
std::uint64_t write_product(const product& work, const block& tile);

/// The task for text output: returns the rows of one tile, which is as wide as the product.
std::string product_text(const product& work, const block& tile);

}  // namespace jobs

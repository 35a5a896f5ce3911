// The product of two matrices on a pool: each task computes a tile from a band of rows of A and a band of columns of B.
//
// Workers write tiles into a .npy file, of which rank 0 sees only the header; or the product is printed as text, in order.
#pragma once

#include <cstdint>
#include <string>

#include "engine/output.hpp"
#include "matrices/source.hpp"
#include "matrices/tiles.hpp"
#include "support/usage_error.hpp"

namespace jobs {

/// Divides a product into tiles for so many workers. If `rows_per_tile` is not 0, it sets the number of rows per tile.
tiles tiles_of_product(const matrix_work& asked, int workers, std::uint64_t rows_per_tile);

/// The task for a file: writes one tile of `work.target`, which has its full size. Returns how many numbers it wrote.
std::uint64_t write_product(const matrix_work& work, const block& tile);

/// The task for text output: returns the rows of one tile, which is as wide as the product.
std::string product_text(const matrix_work& work, const block& tile);

}  // namespace jobs

#include <rankpool/rankpool.hpp>

#include <iostream>
#include <vector>

int compute_square(int n) { return n * n; }

int main(int argc, char** argv) {
  return rankpool::run(argc, argv, [](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster, {.max_workers = 2});
    const std::vector numbers{1, 2, 3, 4};
    for (int square : pool.map(compute_square, numbers)) std::cout << "Square: " << square << '\n';
  });
}

// Values that do not fit on the stack, as arguments, results, items and shared values: no copy of them may be on the stack.
//
// The stack of this program's main thread cannot be made smaller, so the values are larger than the stack: 16 MB.
#include "support/tasks.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace support;

namespace {

constexpr std::size_t length = 2'000'000;

using array = std::array<double, length>;
struct image {
  double pixels[length];
};
struct padded {
  char kind;
  double pixels[length];
  char end;
};
struct named {
  std::string name;
  std::array<double, length> pixels;
};
struct archived {
  double pixels[length];
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& pixels;
  }
};

double& last(array& values) { return values.back(); }
template <class T>
double& last(T& value) {
  return value.pixels[length - 1];
}
template <class T>
double last_of(const T& value) {
  return last(const_cast<T&>(value));
}
template <class T>
double last_plus(const T& value, double x) {
  return last_of(value) + x;
}
template <class T>
double last_of_shared(const rankpool::shared<T>& value) {
  return last_of(*value);
}
template <class T>
double last_of_optional(const std::optional<T>& value) {
  return last_of(*value);
}
template <class T>
double last_of_vector(const std::vector<T>& values) {
  return last_of(values.back());
}
template <class T>
T made(double x) {
  T value{};
  last(value) = x;
  return value;
}

template <class T>
void check_travels() {
  rankpool::executor pool(cluster());
  const std::unique_ptr<T> value(new T(made<T>(5)));
  CHECK(pool.submit(last_of<T>, *value).result() == 5);
  CHECK(pool.submit(last_of<T>, std::move(*value)).result() == 5);
  CHECK(pool.submit(last_of_optional<T>, *std::make_unique<std::optional<T>>(*value)).result() == 5);
  CHECK(pool.submit(last_of_vector<T>, std::vector<T>(2, *value)).result() == 5);

  const auto task = pool.submit(made<T>, 7.0);
  CHECK(last_of(task.result()) == 7);
  const std::unique_ptr<T> own(new T(pool.submit(made<T>, 8.0).result()));
  CHECK(last_of(*own) == 8);

  double sum = 0;
  for (const double x : pool.map(last_of<T>, std::vector<T>(2, *value))) sum += x;
  CHECK(sum == 10);
  for (auto& result : pool.map(made<T>, std::vector{1.0, 2.0})) sum += last_of(result);
  CHECK(sum == 13);

  const auto bound = std::make_unique<rankpool::partial<double (*)(const T&, double), T>>(last_plus<T>, *value);
  CHECK(pool.submit(*bound, 1.0).result() == 6);
  {
    const auto shared = pool.share(*value);
    CHECK(pool.submit(last_of_shared<T>, shared).result() == 5);
  }
  const auto shared = pool.share(std::move(*value));
  CHECK(pool.submit(last_of_shared<T>, shared).result() == 5);
}

}  // namespace

TEST_CASE("a std::array larger than the stack travels", "[travel/large]") { check_travels<array>(); }
TEST_CASE("a struct of numbers larger than the stack travels", "[travel/large]") {
  check_travels<image>();
  check_travels<padded>();
}
TEST_CASE("a struct with text and an array larger than the stack travels", "[travel/large]") { check_travels<named>(); }
TEST_CASE("a class with a serialize and an array larger than the stack travels", "[travel/large]") { check_travels<archived>(); }

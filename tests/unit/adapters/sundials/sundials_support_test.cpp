#include <gtest/gtest.h>

#include <libsolve/plugin/loader.hpp>

#include "sundials_test_support.hpp"

namespace libsolve::test {

const Registry& plugins() {
  // Never destroyed: what plugins registered may hold on to Kokkos.
  static const Registry* const registry = [] {
    auto* r = new Registry;
    load_plugins(
        *r,
        {.files = {}, .path = LIBSOLVE_BINARY_DIR "/lib/libsolve/plugins", .installed_folder = ""});
    return r;
  }();
  return *registry;
}

libsolve::Context setting() {
  libsolve::Context context;
  context.registry = &plugins();
  return context;
}

ComponentSpec method(const std::string& name, const std::string& preconditioner) {
  ComponentSpec spec(name);
  spec.options.set("preconditioner", preconditioner);
  spec.options.set("max_iterations", 500);
  return spec;
}

std::shared_ptr<const StencilOperator> five_point(Index n, double h) {
  Grid grid;
  grid.dimension = 2;
  grid.cells = {n, n, 1};
  grid.spacing = {h, h, 1.0};
  StencilOperator::Constant c;
  for (int a = 0; a < 2; ++a) {
    c.coupling[a] = 1.0 / (h * h);
    c.wall[a] = {c.coupling[a], c.coupling[a]};
  }
  return std::make_shared<StencilOperator>(grid, c);
}

Heat::Heat(Index n_)
    : n(n_),
      h(1.0 / (n + 1)),
      lambda(8.0 / (h * h) * std::pow(std::sin(0.5 * std::numbers::pi * h), 2)),
      rows(GlobalIndex{n} * n),
      L(five_point(n, h)) {
  std::vector<double> values;
  for (Index j = 1; j <= n; ++j)
    for (Index i = 1; i <= n; ++i)
      values.push_back(std::sin(std::numbers::pi * i * h) * std::sin(std::numbers::pi * j * h));
  mode = to_vector(values);
}

double Heat::error(const Vector& u, double t) const {
  const Vector e = u.like("error");
  linear_combination(1.0, u, -std::exp(-lambda * t), mode, e);
  return norm_max(e);
}

int Heat::rhs(sunrealtype, N_Vector y, N_Vector f, void* user_data) {
  const auto& heat = *static_cast<const Heat*>(user_data);
  const Vector result = sun::as_vector(f, heat.rows);
  heat.L->apply(sun::as_vector(y, heat.rows), result);
  scale(-1.0, result);
  return 0;
}

/// L mode = lambda mode: a test of the test.
TEST(SundialsSupport, TheModeIsAnEigenvector) {
  const Heat heat(15);
  const Vector r = heat.mode.like("r");
  heat.L->apply(heat.mode, r);
  axpy(-heat.lambda, heat.mode, r);
  EXPECT_LT(norm_max(r), 1e-9);
}

}  // namespace libsolve::test

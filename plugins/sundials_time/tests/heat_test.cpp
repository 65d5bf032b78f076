// Problem of SUNDIALS' cv_heat2D_hypre examples: u_t = Laplace u + s on the unit square, u = 0 on its walls,
// u = sin^2(pi x) sin^2(pi y) cos^2(pi t), t in [0, 1], 64 x 64 nodes, walls included.
#include <gtest/gtest.h>

#include <libsolve/core/row_kernels.hpp>

#include "time_support.hpp"

namespace {

using namespace sundials_time;
using namespace sundials_time::test;

constexpr double pi = std::numbers::pi;

/// out = -out + a shape + b laplacian, where out holds A u.
struct SourceBody {
  double a, b;
  const double *shape, *laplacian;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    out[i] = -out[i] + a * shape[i] + b * laplacian[i];
  }
};

class HeatWithSource final : public TimeSystem {
 public:
  explicit HeatWithSource(int cells) : A_(laplacian(cells)) {
    std::vector<double> shape, laplacian;
    for (int j = 1; j < cells; ++j)
      for (int i = 1; i < cells; ++i) {
        const double x = static_cast<double>(i) / cells, y = static_cast<double>(j) / cells;
        const double sx = std::pow(std::sin(pi * x), 2), sy = std::pow(std::sin(pi * y), 2);
        shape.push_back(sx * sy);
        // d^2/dx^2 sin^2(pi x) = 2 pi^2 cos(2 pi x)
        laplacian.push_back(2.0 * pi * pi *
                            (std::cos(2.0 * pi * x) * sy + std::cos(2.0 * pi * y) * sx));
      }
    shape_ = Vector("shape", A_->row_partition());
    laplacian_ = Vector("laplacian", A_->row_partition());
    libsolve::test::assign(shape_, shape);
    libsolve::test::assign(laplacian_, laplacian);
  }
  const Partition& partition() const override { return A_->row_partition(); }
  bool is_linear() const override { return true; }
  void rate(double t, const Vector& u, const Vector& out) override {
    A_->apply(u, out);
    // s = u_t - Laplace u = -pi sin(2 pi t) shape - cos^2(pi t) laplacian
    for_rows(default_space(), "test::source", out.local_size(),
             SourceBody{-pi * std::sin(2.0 * pi * t), -std::pow(std::cos(pi * t), 2), shape_.data(),
                        laplacian_.data(), out.data()});
    Kokkos::fence("test::source");
  }
  void apply_jacobian(double, const Vector&, const Vector& v, const Vector& out) override {
    A_->apply(v, out);
    scale(-1.0, out);
  }
  void apply_jacobian_adjoint(double t, const Vector& u, const Vector& p,
                              const Vector& out) override {
    apply_jacobian(t, u, p, out);
  }
  NewtonMatrix newton_matrix(double, const Vector&) override { return {A_, -1.0, 0.0}; }

  const Vector& shape() const { return shape_; }

 private:
  std::shared_ptr<const StencilOperator> A_;
  Vector shape_, laplacian_;
};

/// SUNDIALS 6.4 with hypre as its SUNLinearSolver: 93 steps, 124 Newton and 315 linear iterations, 24 set-ups,
/// error 7.97e-4; as a preconditioner 95, 115, 214, 18, 7.98e-4.
TEST(HeatOfSundials, ErrorAndCountsAreThoseOfTheExample) {
  const auto system = std::make_shared<HeatWithSource>(63);
  CvodesOptions o;
  o.relative_tolerance = 1e-5;
  o.absolute_tolerance = 1e-10;
  auto flow = flow_of<CvodesIntegrator>(system, 1.0, o);
  const Vector error = system->shape().like("error");
  linear_combination(1.0, flow.forward(system->shape()), -1.0, system->shape(), error);
  EXPECT_LT(norm_max(error), 8.0e-4);
  const IntegrationCounts c = flow.forward_counts();
  EXPECT_LE(c.steps, 110);
  EXPECT_LE(c.newton_iterations, 140);
  EXPECT_LE(c.linear_iterations, 315);
  EXPECT_LE(c.linear_setups, 30);
}

TEST(HeatOfSundials, RungeKuttaMethodsFindItToo) {
  const auto system = std::make_shared<HeatWithSource>(63);
  for (const int order : {3, 4, 5}) {
    ArkodeOptions o;
    o.order = order;
    o.relative_tolerance = 1e-5;
    o.absolute_tolerance = 1e-10;
    auto flow = flow_of<ArkodeIntegrator>(system, 1.0, o);
    const Vector error = system->shape().like("error");
    linear_combination(1.0, flow.forward(system->shape()), -1.0, system->shape(), error);
    EXPECT_LT(norm_max(error), 8.2e-4) << order;
    const IntegrationCounts c = flow.forward_counts();
    EXPECT_LE(c.steps, 160) << order;
    EXPECT_LE(c.newton_iterations, 8 * c.steps) << order;
  }
}

}  // namespace

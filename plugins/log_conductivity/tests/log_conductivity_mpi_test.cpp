#include <gtest/gtest.h>

#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/adjoint_test.hpp>
#include <tests/support/vectors.hpp>

#include "conductivity_functions.hpp"
#include "log_conductivity.hpp"

namespace {

using namespace libsolve;
using log_conductivity::ConductivityFunctions;
using log_conductivity::LogConductivityOptions;
using log_conductivity::LogConductivitySource;

std::unique_ptr<NonlinearProgram> make(const LogConductivityOptions& options,
                                       const Communicator& comm) {
  Context context;
  context.communicator = comm;
  auto problem = LogConductivitySource(options, context).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

/// A point, multipliers and a direction that depend on the place only.
void fill_by_place(const ConductivityFunctions& f, int functions, double shift, const Vector& v) {
  const LogDiffusion A = f.make_diffusion();
  const Box& own = A.grid_partition().own();
  std::vector<double> values;
  for (int s = 0; s < functions; ++s)
    for (Index k = own.begin[2]; k < own.end[2]; ++k)
      for (Index j = own.begin[1]; j < own.end[1]; ++j)
        for (Index i = own.begin[0]; i < own.end[0]; ++i)
          values.push_back(std::sin(shift + s + 7.0 * i * A.spacing() + 3.0 * j * A.spacing()) +
                           std::cos(5.0 * k * A.spacing() - s));
  test::assign(v, values);
}

/// Everything that a method asks for, as numbers that do not depend on the cuts.
std::vector<double> measures(NonlinearProgram& problem) {
  auto& f = dynamic_cast<ConductivityFunctions&>(problem.functions());
  const int S = f.num_sources();
  const Vector x = problem.x(), v = x.like("v"), g = x.like("g"), y = x.like("y"),
               lambda = problem.multipliers(), c = lambda.like("c");
  std::vector<double> values = {norm2(x)};  // the start
  fill_by_place(f, S + 1, 0.0, x);
  fill_by_place(f, S + 1, 0.4, v);
  fill_by_place(f, S, 0.7, lambda);
  values.push_back(f.objective(x.view()));
  f.gradient(x.view(), g.view());
  values.push_back(norm2(g));
  values.push_back(dot(g, v));
  f.constraints(x.view(), c.view());
  values.push_back(norm2(c));
  f.apply_jacobian(x.view(), v.view(), c.view());
  values.push_back(dot(c, lambda));
  f.apply_jacobian_adjoint(x.view(), lambda.view(), y.view());
  values.push_back(dot(y, v));
  f.apply_hessian(x.view(), 0.7, lambda.view(), v.view(), y.view());
  values.push_back(norm2(y));
  values.push_back(dot(g, y));
  const auto coarse = std::dynamic_pointer_cast<const ConductivityFunctions>(f.coarse());
  if (coarse) {
    const LogDiffusion A = coarse->make_diffusion();
    const Vector u("u", A.block_partition(S)), r = u.like("r");
    fill_by_place(*coarse, S, 0.1, u);
    values.push_back(coarse->misfit(u.view()));
    coarse->misfit_gradient(u.view(), r.view());
    values.push_back(norm2(r));
  }
  return values;
}

TEST(LogConductivityOverRanks, FunctionsAreThoseOfOneRank) {
  for (const char* observations : {"full", "points"})
    for (const int dimension : {2, 3}) {
      LogConductivityOptions o;
      o.observations = observations;
      o.dimension = dimension;
      o.size = dimension == 2 ? 16 : 8;
      o.num_sources = 3;
      o.num_points = 40;
      o.value_cost = 0.1;
      o.start = "state";
      const auto together = make(o, Communicator::world()), alone = make(o, Communicator::self());
      const std::vector<double> values = measures(*together), expected = measures(*alone);
      ASSERT_EQ(values.size(), expected.size());
      for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_NEAR(values[i], expected[i], 1e-11 * std::abs(expected[i]))
            << observations << " " << dimension << "D, value " << i;
      const ProgramAdjointGaps gaps = adjoint_gaps(together->functions(), together->x(), 3);
      EXPECT_LT(gaps.jacobian, 1e-13);
      EXPECT_LT(gaps.hessian, 1e-13);
    }
}

}  // namespace

#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/q1_control.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/vectors.hpp>

/// Problems of the source `poisson-control` and methods, by name.
namespace control_cases {

using namespace libsolve;  // NOLINT: tests are written in terms of the library

class ControlTest : public testing::Test {
 protected:
  void SetUp() override {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    ASSERT_NE(registry_.find("problem-source", "poisson-control"), nullptr);
    ASSERT_NE(registry_.find("linear-solver", "gmres"), nullptr);
  }
  std::unique_ptr<NonlinearProgram> make(const Value& options,
                                         const Communicator& comm = Communicator::self()) {
    ComponentSpec spec("poisson-control");
    spec.options = options;
    auto problem = context(comm).make<ProblemSource>(spec)->create();
    return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
  }
  Report solve(NonlinearProgram& program, const std::string& method, const Value& options = {},
               Monitor& monitor = Monitor::none()) {
    ComponentSpec spec(method);
    spec.options = options;
    const auto solver = context(program.communicator()).make<ProgramSolver>(spec);
    Method& as_method = *solver;
    return as_method.solve(program, monitor);
  }
  Context context(const Communicator& comm) {
    Context c;
    c.registry = &registry_;
    c.communicator = comm;
    return c;
  }
  Registry registry_;
};

inline Value options(std::initializer_list<std::pair<const char*, Value>> entries) {
  Value table;
  for (const auto& [key, value] : entries) table.set(key, value);
  return table;
}

/// A linear solver to 1e-2 with a preconditioner by name.
inline Value rough(const char* method, const Value& preconditioner) {
  return options(
      {{"name", Value(method)}, {"preconditioner", preconditioner}, {"relative_tolerance", 1e-2}});
}

/// What the three conditions leave, recomputed from the functions: the 2-norms of
///   g_y + J_y^T lambda,  alpha^1/2 c,  alpha^-1/2 (g_u + J_u^T lambda + z_u)
/// together, over that of the first two at zero.
inline double relative_residual(NonlinearProgram& program) {
  const double alpha = dynamic_cast<const Q1Control&>(program.functions()).control_cost();
  const auto n = static_cast<std::size_t>(program.num_constraints());
  const auto squares = [&](const Vector& x, const Vector& lambda, const Vector& z) {
    const Vector g = x.like("g"), a = x.like("a"), c = lambda.like("c");
    program.functions().gradient(x.view(), g.view());
    program.functions().apply_jacobian_adjoint(x.view(), lambda.view(), a.view());
    program.functions().constraints(x.view(), c.view());
    axpy(1.0, a, g);
    axpy(1.0, z, g);
    const auto gradient = test::to_host(g), violation = test::to_host(c);
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i)
      sum += gradient[i] * gradient[i] + alpha * violation[i] * violation[i] +
             gradient[n + i] * gradient[n + i] / alpha;
    return program.communicator().sum(sum);
  };
  const Vector zero = program.x().like("zero"), no_lambda = program.multipliers().like("zero");
  const double size = squares(zero, no_lambda, zero);
  return std::sqrt(squares(program.x(), program.multipliers(), program.bound_multipliers()) / size);
}

}  // namespace control_cases

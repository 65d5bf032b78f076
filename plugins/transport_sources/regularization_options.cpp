#include "regularization_options.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/matrix_entries.hpp>

namespace transport_sources {

void RegularizationOptions::describe(Fields<RegularizationOptions>& f) {
  using O = RegularizationOptions;
  f.add("regularization", &O::regularization, Range::above(0.0),
        "eps of the entropy term, in units of the cost; this or relative_regularization")
      .unit("cost");
  f.add("relative_regularization", &O::relative_regularization, Range::above(0.0),
        "eta: eps = eta times the largest cost; this or regularization");
  f.add("marginal_penalty", &O::marginal_penalty, Range::above(0.0),
        "rho of the unbalanced problem, whose marginals are penalised instead of prescribed; auto: "
        "the balanced problem")
      .unit("cost");
  f.add("plan_threshold", &O::plan_threshold, Range::closed(0.0, 1.0),
        "entries of the plan that are at least this part of their row are stored; 0: none");
}

void RegularizationOptions::check(const RegularizationOptions& o, const std::string& prefix,
                                  const SourceLocation& where, Diagnostics& problems) {
  if (o.regularization.has_value() == o.relative_regularization.has_value())
    problems.add(where, prefix + "regularization",
                 std::string(o.regularization ? "and relative_regularization are both given"
                                              : "is missing, and relative_regularization too") +
                     ": give one of them, eps in units of the cost, or eta = eps / largest cost");
}

namespace {

template <class E>
[[noreturn]] void with_origin(const std::string& origin, const E& e) {
  throw E(origin + ": " + e.what());
}

}  // namespace

std::unique_ptr<TransportProblem> make_problem(std::shared_ptr<const TransportCost> cost, Vector a,
                                               Vector b, const RegularizationOptions& options,
                                               const std::string& origin) {
  try {
    double eps = options.regularization.value_or(0.0);
    if (options.relative_regularization) {
      const double largest = cost->maximum();
      if (largest == 0.0)
        throw DataError("the cost is zero everywhere, so relative_regularization has nothing to "
                        "refer to; give regularization");
      if (std::isfinite(largest)) eps = *options.relative_regularization * largest;
      else eps = 1.0;  // the constructor says what is wrong with this cost
    }
    auto problem = std::make_unique<TransportProblem>(std::move(cost), a, b, eps,
                                                      options.marginal_penalty);
    problem->plan_threshold = options.plan_threshold;
    return problem;
  } catch (const DataError& e) {
    with_origin(origin, e);
  } catch (const ShapeError& e) {
    with_origin(origin, e);
  }
}

Partition rows_over_ranks(const Communicator& comm, GlobalIndex n) {
  if (comm.size() == 1) return Partition(n);
  if (n < comm.size())
    throw ShapeError("the cost has " + std::to_string(n) + " rows, fewer than the " +
                     std::to_string(comm.size()) + " ranks; use fewer ranks");
  return even_partition(comm, n);
}

Vector uniform_mass(const Partition& rows, const char* label) {
  const Vector v(label, rows);
  fill(v, 1.0 / static_cast<double>(rows.global_size()));
  return v;
}

}  // namespace transport_sources

#include "control_functions.hpp"

#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>

namespace optimal_control {

namespace {

using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;

/// The five-point formula at point k of N x N with zero walls.
struct Laplace {
  Index n;
  double inverse_h2;
  KOKKOS_INLINE_FUNCTION double operator()(const double* y, Index k) const {
    const Index j = k / n, i = k - j * n;
    double sum = 4.0 * y[k];
    if (i > 0) sum -= y[k - 1];
    if (i + 1 < n) sum -= y[k + 1];
    if (j > 0) sum -= y[k - n];
    if (j + 1 < n) sum -= y[k + n];
    return inverse_h2 * sum;
  }
};

struct Objective {
  Index points;
  double weight, control_cost;
  const double *x, *target;
  KOKKOS_FUNCTION void operator()(Index k, double& sum) const {
    const double miss = x[k] - target[k], u = x[points + k];
    sum += 0.5 * weight * (miss * miss + control_cost * u * u);
  }
};

struct Gradient {
  Index points;
  double weight, control_cost;
  const double *x, *target;
  double* g;
  KOKKOS_FUNCTION void operator()(Index k) const {
    g[k] = weight * (x[k] - target[k]);
    g[points + k] = weight * control_cost * x[points + k];
  }
};

struct StateEquation {
  Index points;
  Laplace A;
  ReactionTerm reaction;
  const double* x;
  double* c;
  KOKKOS_FUNCTION void operator()(Index k) const {
    c[k] = A(x, k) + reaction.value(x[k]) - x[points + k];
  }
};

/// Row k: the diagonal, the neighbours that are there, the control.
struct JacobianRow {
  Laplace A;
  ReactionTerm reaction;
  const Index* first;
  const double* x;
  double* values;
  KOKKOS_FUNCTION void operator()(Index k) const {
    const Index end = first[k + 1];
    values[first[k]] = 4.0 * A.inverse_h2 + reaction.slope(x[k]);
    for (Index e = first[k] + 1; e + 1 < end; ++e) values[e] = -A.inverse_h2;
    values[end - 1] = -1.0;
  }
};

struct StateHessian {
  double constant;
  ReactionTerm reaction;
  const double *x, *lambda;
  double* d;
  KOKKOS_FUNCTION void operator()(Index k) const {
    d[k] = constant + lambda[k] * reaction.curvature(x[k]);
  }
};

struct JacobianProduct {
  Index points;
  Laplace A;
  ReactionTerm reaction;
  const double *x, *v;
  double* y;
  KOKKOS_FUNCTION void operator()(Index k) const {
    y[k] = A(v, k) + reaction.slope(x[k]) * v[k] - v[points + k];
  }
};

struct JacobianAdjoint {
  Index points;
  Laplace A;
  ReactionTerm reaction;
  const double *x, *w;
  double* y;
  KOKKOS_FUNCTION void operator()(Index k) const {
    y[k] = A(w, k) + reaction.slope(x[k]) * w[k];
    y[points + k] = -w[k];
  }
};

struct HessianProduct {
  Index points;
  double of_state, of_control;
  ReactionTerm reaction;
  const double *x, *lambda, *v;
  double* y;
  KOKKOS_FUNCTION void operator()(Index k) const {
    y[k] = (of_state + lambda[k] * reaction.curvature(x[k])) * v[k];
    y[points + k] = of_control * v[points + k];
  }
};

struct Excess {
  Index n;
  double inverse_h2;
  ReactionTerm reaction;
  const double* y;
  double *e, *face_x, *face_y;
  KOKKOS_FUNCTION void operator()(Index k) const {
    const Index j = k / n, i = k - j * n;
    const int walls =
        (i == 0 ? 1 : 0) + (i + 1 == n ? 1 : 0) + (j == 0 ? 1 : 0) + (j + 1 == n ? 1 : 0);
    e[k] = walls * inverse_h2 + reaction.slope(y[k]);
    face_x[k] = i + 1 < n ? inverse_h2 : 0.0;
    face_y[k] = j + 1 < n ? inverse_h2 : 0.0;
  }
};

}  // namespace

ControlFunctions::ControlFunctions(Index points_per_axis, double weight, double control_cost,
                                   ReactionTerm reaction, const std::vector<double>& target)
    : points_per_axis_(points_per_axis),
      num_points_(points_per_axis * points_per_axis),
      h_(1.0 / (points_per_axis + 1.0)),
      weight_(weight),
      control_cost_(control_cost),
      reaction_(reaction) {
  grid_.dimension = 2;
  grid_.cells = {points_per_axis, points_per_axis, 1};
  grid_.spacing = {h_, h_, 1.0};
  grid_.origin = {0.5 * h_, 0.5 * h_, 0.0};  // cells around the points
  target_ = bare_array<double>("optimal_control::target", target.size());
  Kokkos::deep_copy(target_,
                    Kokkos::View<const double*, Kokkos::HostSpace>(target.data(), target.size()));
  make_patterns();
}

void ControlFunctions::make_patterns() {
  const Index n = points_per_axis_;
  std::vector<Index> first;
  for (Index k = 0; k < num_points_; ++k) {
    const Index j = k / n, i = k - j * n;
    first.push_back(static_cast<Index>(jacobian_.rows.size()));
    const auto add = [&](Index column) {
      jacobian_.rows.push_back(k);
      jacobian_.columns.push_back(column);
    };
    add(k);
    if (i > 0) add(k - 1);
    if (i + 1 < n) add(k + 1);
    if (j > 0) add(k - n);
    if (j + 1 < n) add(k + n);
    add(num_points_ + k);
  }
  first.push_back(static_cast<Index>(jacobian_.rows.size()));
  for (Index k = 0; k < 2 * num_points_; ++k) {
    hessian_.rows.push_back(k);
    hessian_.columns.push_back(k);
  }
  first_entry_ = bare_array<Index>("optimal_control::rows", first.size());
  Kokkos::deep_copy(first_entry_,
                    Kokkos::View<const Index*, Kokkos::HostSpace>(first.data(), first.size()));
}

std::shared_ptr<const StencilOperator> ControlFunctions::state_operator(
    const ConstVectorView& x) const {
  const double inverse_h2 = 1.0 / (h_ * h_);
  const auto points = static_cast<std::size_t>(num_points_);
  StencilOperator::Variable v;
  v.face[0] = VectorView("optimal_control::face_x", points);
  v.face[1] = VectorView("optimal_control::face_y", points);
  v.excess = VectorView("optimal_control::excess", points);
  Kokkos::parallel_for("optimal_control::state_operator", Policy(0, num_points_),
                       Excess{points_per_axis_, inverse_h2, reaction_, x.data(), v.excess.data(),
                              v.face[0].data(), v.face[1].data()});
  Kokkos::fence("optimal_control::state_operator");
  return std::make_shared<const StencilOperator>(grid_, v);
}

void ControlFunctions::state_hessian(const ConstVectorView& x, double sigma,
                                     const ConstVectorView& lambda, const VectorView& d) const {
  for_rows(ExecSpace(), "optimal_control::state_hessian", num_points_,
           StateHessian{sigma * weight_, reaction_, x.data(), lambda.data(), d.data()});
  Kokkos::fence("optimal_control::state_hessian");
}

double ControlFunctions::do_objective(const ConstVectorView& x) {
  return reduce_rows<Sums<1>>(
             ExecSpace(), "optimal_control::objective", num_points_,
             Objective{num_points_, weight_, control_cost_, x.data(), target_.data()})
      .value[0];
}

void ControlFunctions::do_gradient(const ConstVectorView& x, const VectorView& g) {
  for_rows(ExecSpace(), "optimal_control::gradient", num_points_,
           Gradient{num_points_, weight_, control_cost_, x.data(), target_.data(), g.data()});
  Kokkos::fence("optimal_control::gradient");
}

void ControlFunctions::do_constraints(const ConstVectorView& x, const VectorView& c) {
  Kokkos::parallel_for(
      "optimal_control::state_equation", Policy(0, num_points_),
      StateEquation{
          num_points_, {points_per_axis_, 1.0 / (h_ * h_)}, reaction_, x.data(), c.data()});
  Kokkos::fence("optimal_control::state_equation");
}

void ControlFunctions::do_jacobian(const ConstVectorView& x, const VectorView& values) {
  Kokkos::parallel_for("optimal_control::jacobian", Policy(0, num_points_),
                       JacobianRow{{points_per_axis_, 1.0 / (h_ * h_)},
                                   reaction_,
                                   first_entry_.data(),
                                   x.data(),
                                   values.data()});
  Kokkos::fence("optimal_control::jacobian");
}

void ControlFunctions::do_hessian(const ConstVectorView& x, double sigma,
                                  const ConstVectorView& lambda, const VectorView& values) {
  state_hessian(x, sigma, lambda, values);
  const auto points = static_cast<std::size_t>(num_points_);
  Kokkos::deep_copy(Kokkos::subview(values, std::make_pair(points, 2 * points)),
                    sigma * weight_ * control_cost_);
  Kokkos::fence("optimal_control::hessian");
}

void ControlFunctions::do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                                         const VectorView& y) {
  Kokkos::parallel_for("optimal_control::jacobian_product", Policy(0, num_points_),
                       JacobianProduct{num_points_,
                                       {points_per_axis_, 1.0 / (h_ * h_)},
                                       reaction_,
                                       x.data(),
                                       v.data(),
                                       y.data()});
  Kokkos::fence("optimal_control::jacobian_product");
}

void ControlFunctions::do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                                 const VectorView& y) {
  Kokkos::parallel_for("optimal_control::jacobian_adjoint", Policy(0, num_points_),
                       JacobianAdjoint{num_points_,
                                       {points_per_axis_, 1.0 / (h_ * h_)},
                                       reaction_,
                                       x.data(),
                                       w.data(),
                                       y.data()});
  Kokkos::fence("optimal_control::jacobian_adjoint");
}

void ControlFunctions::do_apply_hessian(const ConstVectorView& x, double sigma,
                                        const ConstVectorView& lambda, const ConstVectorView& v,
                                        const VectorView& y) {
  for_rows(ExecSpace(), "optimal_control::hessian_product", num_points_,
           HessianProduct{num_points_, sigma * weight_, sigma * weight_ * control_cost_, reaction_,
                          x.data(), lambda.data(), v.data(), y.data()});
  Kokkos::fence("optimal_control::hessian_product");
}

}  // namespace optimal_control

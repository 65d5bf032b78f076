#include "general_iteration.hpp"

#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace lv_hba {

namespace {

VectorView make_view(const char* label, Index n) {
  return VectorView(label, static_cast<std::size_t>(n));
}

void put(std::span<const double> values, const VectorView& v) {
  Kokkos::deep_copy(v,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
}

/// theta <- P_Y(theta - eta (f_y + J_y^T l + (theta - y) / gamma1)); all at (x, theta), shifted to
/// y.
struct LowerStep {
  double* theta;
  const double* y;
  const double* slopes;
  const double* adjoint;
  const double* low;
  const double* high;
  double eta, inverse_gamma;
  KOKKOS_FUNCTION void operator()(Index j, double& squared) const {
    const double before = theta[j];
    double t = before - eta * (slopes[j] + adjoint[j] + (before - y[j]) * inverse_gamma);
    t = t < low[j] ? low[j] : t > high[j] ? high[j] : t;
    theta[j] = t;
    squared += (t - before) * (t - before);
  }
};

/// l <- the multiplier after its ascent step; weights: l times the rows' scale, before and after.
struct MultiplierStep {
  double* lambda;
  const double* z;
  const double* g;
  const double* scale;
  const double* low;
  const double* high;
  double eta, inverse_gamma, r;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double moved = lambda[i] + eta * (scale[i] * g[i] - (lambda[i] - z[i]) * inverse_gamma);
    lambda[i] = lv_hba_multiplier(moved, eta, scale[i] * low[i], scale[i] * high[i], r);
  }
};

struct Scaled {
  const double* a;
  const double* b;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const { out[i] = a[i] * b[i]; }
};

struct CenterStep {
  double* z;
  const double* lambda;
  const double* low;
  const double* high;
  double factor, r;
  KOKKOS_FUNCTION void operator()(Index i) const {
    z[i] = lv_hba_center(z[i] + factor * (lambda[i] - z[i]), low[i], high[i], r);
  }
};

/// moved = v - alpha d, d as in step 2.
struct UpperStep {
  const double* v;
  const double* lower_v;
  const double* upper_slopes;
  const double* slopes;
  const double* lower_slopes;
  const double* adjoint;
  double* moved;
  Index nx;
  double alpha, inverse_c, inverse_gamma;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double inner =
        i < nx ? lower_slopes[i] + adjoint[i] : (v[i] - lower_v[i]) * inverse_gamma;
    moved[i] = v[i] - alpha * (upper_slopes[i] * inverse_c + slopes[i] - inner);
  }
};

struct Accept {
  double* v;
  const double* moved;
  KOKKOS_FUNCTION void operator()(Index i, double& squared) const {
    squared += (moved[i] - v[i]) * (moved[i] - v[i]);
    v[i] = moved[i];
  }
};

template <class Body>
void run_rows(const char* label, Index n, const Body& body) {
  for_rows(default_space(), label, n, body);
  default_space().fence("libsolve::lv_hba");
}

}  // namespace

std::vector<double> inverse_row_lengths(ProgramFunctions& functions, const ConstVectorView& v) {
  const auto m = static_cast<std::size_t>(functions.num_constraints());
  constexpr std::size_t most_products = 200;
  std::vector<double> squared(m, 0.0);
  if (m > 0 && functions.has_entries()) {
    const SparsePattern& J = functions.jacobian_pattern();
    const VectorView values("lv_hba::jacobian", J.size());
    functions.jacobian(v, values);
    const auto a = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
    for (std::size_t e = 0; e < J.size(); ++e)
      squared[static_cast<std::size_t>(J.rows[e])] += a(e) * a(e);
  } else if (m <= most_products) {
    const VectorView unit("lv_hba::unit", m), row("lv_hba::row", v.extent(0));
    for (std::size_t i = 0; i < m; ++i) {
      Kokkos::deep_copy(unit, 0.0);
      Kokkos::deep_copy(Kokkos::subview(unit, i), 1.0);
      functions.apply_jacobian_adjoint(v, unit, row);
      const double length = norm2(Vector(row, Partition(static_cast<GlobalIndex>(v.extent(0)))));
      squared[i] = length * length;
    }
  }
  for (double& s : squared) s = s > 0.0 && std::isfinite(s) ? 1.0 / std::sqrt(s) : 1.0;
  return squared;
}

GeneralLvHba::GeneralLvHba(const BilevelProgram& problem, std::shared_ptr<Projection> coupled_set)
    : problem_(&problem),
      coupled_set_(std::move(coupled_set)),
      nx_(problem.num_upper()),
      ny_(problem.num_lower()),
      m_(problem.lower().num_constraints()) {
  const Index n = nx_ + ny_;
  v_ = make_view("lv_hba::v", n);
  moved_ = make_view("lv_hba::moved", n);
  lower_v_ = make_view("lv_hba::lower_v", n);
  upper_slopes_ = make_view("lv_hba::upper_slopes", n);
  slopes_ = make_view("lv_hba::slopes", n);
  lower_slopes_ = make_view("lv_hba::lower_slopes", n);
  adjoint_ = make_view("lv_hba::adjoint", n);
  for (VectorView* row : {&g_, &lambda_, &z_, &weights_, &scale_, &low_, &high_})
    *row = make_view("lv_hba::rows", m_);
  put(problem.parts().lower_constraints.lower, low_);
  put(problem.parts().lower_constraints.upper, high_);
  theta_low_ = make_view("lv_hba::lower_bounds", ny_);
  theta_high_ = make_view("lv_hba::lower_bounds", ny_);
  put(problem.parts().lower_variables.lower, theta_low_);
  put(problem.parts().lower_variables.upper, theta_high_);
}

void GeneralLvHba::start(const ConstVectorView& v) {
  Kokkos::deep_copy(v_, v);
  Kokkos::deep_copy(lower_v_, v);
  Kokkos::deep_copy(lambda_, 0.0);
  Kokkos::deep_copy(z_, 0.0);
  row_length_ = -1.0;
}

void GeneralLvHba::set_row_length(double length) {
  if (length == row_length_) return;
  std::vector<double> scale(static_cast<std::size_t>(m_), 1.0);
  if (length > 0.0) {
    scale = inverse_row_lengths(problem_->lower(), v_);
    for (double& s : scale) s *= length;
  }
  put(scale, scale_);
  row_length_ = length;
}

void GeneralLvHba::adjoint_of_multipliers(const VectorView& out) {
  if (m_ == 0) return;
  run_rows("lv_hba::weights", m_, Scaled{scale_.data(), lambda_.data(), weights_.data()});
  problem_->lower().apply_jacobian_adjoint(lower_v_, weights_, out);
}

LvHbaProgress GeneralLvHba::run(const LvHbaSettings& s, std::int64_t first, std::int64_t count) {
  set_row_length(s.row_length);
  ProgramFunctions& F = problem_->upper();
  ProgramFunctions& f = problem_->lower();
  const Index n = nx_ + ny_;
  const auto x_of = [&](const VectorView& v) {
    return Kokkos::subview(v, std::pair(std::size_t{0}, static_cast<std::size_t>(nx_)));
  };
  LvHbaProgress progress;
  for (std::int64_t k = first; k < first + count; ++k) {
    Kokkos::deep_copy(x_of(lower_v_), x_of(v_));
    f.gradient(lower_v_, lower_slopes_);
    adjoint_of_multipliers(adjoint_);
    if (m_ > 0) {
      f.constraints(lower_v_, g_);
      run_rows("lv_hba::multipliers", m_,
               MultiplierStep{lambda_.data(), z_.data(), g_.data(), scale_.data(), low_.data(),
                              high_.data(), s.eta, 1.0 / s.gamma2, s.r});
    }
    const double lower_squared =
        reduce_rows<Sums<1>>(
            default_space(), "lv_hba::lower_step", ny_,
            LowerStep{lower_v_.data() + nx_, v_.data() + nx_, lower_slopes_.data() + nx_,
                      adjoint_.data() + nx_, theta_low_.data(), theta_high_.data(), s.eta,
                      1.0 / s.gamma1})
            .value[0];
    f.gradient(lower_v_, lower_slopes_);
    adjoint_of_multipliers(adjoint_);
    f.gradient(v_, slopes_);
    F.gradient(v_, upper_slopes_);
    run_rows("lv_hba::upper_step", n,
             UpperStep{v_.data(), lower_v_.data(), upper_slopes_.data(), slopes_.data(),
                       lower_slopes_.data(), adjoint_.data(), moved_.data(), nx_, s.alpha,
                       1.0 / lv_hba_weight(s, k), 1.0 / s.gamma1});
    coupled_set_->project(moved_);
    const double squared =
        reduce_rows<Sums<1>>(default_space(), "lv_hba::accept", n, Accept{v_.data(), moved_.data()})
            .value[0];
    run_rows(
        "lv_hba::center", m_,
        CenterStep{z_.data(), lambda_.data(), low_.data(), high_.data(), s.beta / s.gamma2, s.r});
    progress = {std::sqrt(squared) / s.alpha, std::sqrt(lower_squared) / s.eta};
  }
  return progress;
}

void GeneralLvHba::current(const VectorView& v, const VectorView& theta, const VectorView& lambda) {
  Kokkos::deep_copy(v, v_);
  const auto first = static_cast<std::size_t>(nx_);
  Kokkos::deep_copy(theta, Kokkos::subview(lower_v_, std::pair(first, lower_v_.extent(0))));
  run_rows("lv_hba::weights", m_, Scaled{scale_.data(), lambda_.data(), lambda.data()});
}

double GeneralLvHba::bytes_per_iteration() const {
  return 2.0 * sizeof(double) * (nx_ + 2.0 * ny_ + 2.0 * m_);
}

}  // namespace lv_hba

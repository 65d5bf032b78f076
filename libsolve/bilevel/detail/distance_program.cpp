#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/detail/convex_qp.hpp>
#include <libsolve/bilevel/detail/distance_program.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

namespace libsolve::detail {

namespace {

SparsePattern joined(const SparsePattern& first, const SparsePattern& second, Index row_offset) {
  SparsePattern all = first;
  for (const Index i : second.rows) all.rows.push_back(i + row_offset);
  all.columns.insert(all.columns.end(), second.columns.begin(), second.columns.end());
  return all;
}

Bounds joined(Bounds first, const Bounds& second) {
  first.lower.insert(first.lower.end(), second.lower.begin(), second.lower.end());
  first.upper.insert(first.upper.end(), second.upper.begin(), second.upper.end());
  return first;
}

/// Projects by sequential quadratic programming (Nocedal, Wright, Numerical Optimization, 2006,
/// section 18.4): steps to the projections of the linearised problems in the norm of the
/// Lagrangian's Hessian, cut back where the l1 merit function does not fall.
class NewtonProjection final : public Projection {
 public:
  NewtonProjection(const BilevelProgram& program, std::unique_ptr<ProgramSolver> solver,
                   bool is_dense)
      : functions_(std::make_shared<DistanceFunctions>(program)),
        access_(*functions_),
        box_(program.variable_bounds()),
        bounds_(joined(program.parts().lower_constraints, program.parts().upper_constraints)),
        solver_(std::move(solver)),
        is_dense_(is_dense),
        n_(box_.size()),
        m_(bounds_.size()),
        c_(m_),
        jacobian_(functions_->jacobian_pattern().size()),
        hessian_(functions_->hessian_pattern().size()) {}

  Index size() const override { return static_cast<Index>(n_); }
  std::string description() const override {
    return "box and " + std::to_string(m_) + " constraints by " +
           (is_dense_ ? "Newton's method" : "a program solver");
  }

  void project(const VectorView& view) override {
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
    const std::span<double> v(host.data(), n_);
    if (!std::all_of(v.begin(), v.end(), [](double a) { return std::isfinite(a); })) return;
    target_.assign(v.begin(), v.end());
    if (!is_feasible() && !(is_dense_ && by_newton())) by_solver();
    std::copy(v_.begin(), v_.end(), v.begin());
    Kokkos::deep_copy(view, host);
  }

 private:
  /// Whether the target is its own projection.
  bool is_feasible() {
    v_ = target_;
    for (std::size_t j = 0; j < n_; ++j)
      if (v_[j] < box_.lower[j] || v_[j] > box_.upper[j]) return false;
    access_.constraints(v_, c_);
    for (std::size_t i = 0; i < m_; ++i)
      if (!(c_[i] >= bounds_.lower[i] && c_[i] <= bounds_.upper[i])) return false;
    return true;
  }

  bool by_newton() {
    // From the last projection, then from the target.
    for (const bool warm : {true, false}) {
      if (warm && last_.empty()) continue;
      v_ = warm ? last_ : target_;
      for (std::size_t j = 0; j < n_; ++j) v_[j] = std::clamp(v_[j], box_.lower[j], box_.upper[j]);
      mu_ = warm ? last_mu_ : std::vector<double>(m_, 0.0);
      if (!iterate()) continue;
      last_ = v_;
      last_mu_ = mu_;
      return true;
    }
    return false;
  }

  bool iterate() {
    constexpr int max_steps = 60;
    for (int step = 0; step < max_steps; ++step) {
      if (!find_step()) return false;
      const bool is_last = largest(step_) <= 1e-13 * std::max(1.0, largest(v_));
      if (!is_last && !walk()) return false;
      if (is_last) return is_kkt_point();
    }
    return false;
  }

  static double largest(const std::vector<double>& a) {
    double m = 0.0;
    for (const double x : a) m = std::max(m, std::abs(x));
    return m;
  }

  /// target - v - J^T mu, which z has to be.
  void find_reduced_gradient() {
    reduced_.resize(n_);
    for (std::size_t j = 0; j < n_; ++j) reduced_[j] = target_[j] - v_[j];
    const SparsePattern& p = functions_->jacobian_pattern();
    for (std::size_t e = 0; e < p.size(); ++e)
      reduced_[at(p.columns[e])] -= jacobian_[e] * mu_[at(p.rows[e])];
  }
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

  /// step_ and the multipliers mu_ of the linearised problem at v_; false where it has none.
  bool find_step() {
    access_.constraints(v_, c_);
    access_.jacobian(v_, jacobian_);
    access_.hessian(v_, 0.0, mu_, hessian_);
    if (!std::all_of(c_.begin(), c_.end(), [](double c) { return std::isfinite(c); })) return false;
    qp_.start(n_);
    for (std::size_t j = 0; j < n_; ++j) {
      qp_.H[j * n_ + j] = 1.0;
      qp_.g[j] = v_[j] - target_[j];
    }
    const SparsePattern& H = functions_->hessian_pattern();
    for (std::size_t e = 0; e < H.size(); ++e) {
      qp_.H[at(H.rows[e]) * n_ + at(H.columns[e])] += hessian_[e];
      if (H.rows[e] != H.columns[e]) qp_.H[at(H.columns[e]) * n_ + at(H.rows[e])] += hessian_[e];
    }
    dense_.assign(m_ * n_, 0.0);
    const SparsePattern& J = functions_->jacobian_pattern();
    for (std::size_t e = 0; e < J.size(); ++e)
      dense_[at(J.rows[e]) * n_ + at(J.columns[e])] += jacobian_[e];
    for (std::size_t i = 0; i < m_; ++i)
      qp_.add({&dense_[i * n_], n_}, bounds_.lower[i] - c_[i], bounds_.upper[i] - c_[i]);
    unit_.assign(n_, 0.0);
    for (std::size_t j = 0; j < n_; ++j) {
      unit_[j] = 1.0;
      qp_.add(unit_, box_.lower[j] - v_[j], box_.upper[j] - v_[j]);
      unit_[j] = 0.0;
    }
    if (!qp_.solve()) return false;
    step_ = qp_.x;
    std::copy_n(qp_.multipliers.begin(), m_, mu_.begin());
    return std::isfinite(largest(step_)) && std::isfinite(largest(mu_));
  }

  /// 1/2 |v - target|^2 + weight * (what v violates the constraints by).
  double merit(const std::vector<double>& v, double weight) {
    access_.constraints(v, c_);
    double sum = 0.0;
    for (std::size_t j = 0; j < n_; ++j) sum += 0.5 * (v[j] - target_[j]) * (v[j] - target_[j]);
    for (std::size_t i = 0; i < m_; ++i)
      sum += weight * std::max({0.0, bounds_.lower[i] - c_[i], c_[i] - bounds_.upper[i]});
    return sum;
  }

  /// v_ <- v_ + t step_.
  bool walk() {
    const double weight = 2.0 * largest(mu_) + 1e-8;
    const std::vector<double> from = v_;
    const double before = merit(from, weight);
    constexpr double slack = 1e-14;
    for (double t = 1.0; t > 1e-10; t *= 0.5) {
      for (std::size_t j = 0; j < n_; ++j) v_[j] = from[j] + t * step_[j];
      if (merit(v_, weight) <= before + slack * std::max(1.0, std::abs(before))) return true;
    }
    return false;
  }

  /// Feasible, with multipliers of the right signs, both to rounding.
  bool is_kkt_point() {
    access_.constraints(v_, c_);
    access_.jacobian(v_, jacobian_);
    find_reduced_gradient();
    constexpr double right = 1e-10;
    const double scale = std::max({1.0, largest(v_), largest(target_)});
    for (std::size_t j = 0; j < n_; ++j) {
      const double nearest = std::clamp(v_[j] + reduced_[j], box_.lower[j], box_.upper[j]);
      if (!(std::abs(nearest - v_[j]) <= right * scale)) return false;
    }
    for (std::size_t i = 0; i < m_; ++i) {
      const double nearest = std::clamp(c_[i] + mu_[i], bounds_.lower[i], bounds_.upper[i]);
      if (!(std::abs(nearest - c_[i]) <= right * std::max({1.0, std::abs(c_[i]), largest(mu_)})))
        return false;
    }
    for (std::size_t j = 0; j < n_; ++j) v_[j] = std::clamp(v_[j], box_.lower[j], box_.upper[j]);
    return true;
  }

  void by_solver() {
    if (solver_ == nullptr)
      throw NumericalError("Newton's method found no projection onto the coupled set (" +
                           std::to_string(m_) + " constraints); give it a program solver");
    std::vector<double> start = target_;
    for (std::size_t j = 0; j < n_; ++j)
      start[j] = std::clamp(start[j], box_.lower[j], box_.upper[j]);
    functions_->set_target(target_);
    NonlinearProgram program(functions_, box_, bounds_, start);
    Monitor& quiet = Monitor::none();
    const Report report = solver_->solve(program, quiet);
    const double residual = program.kkt_residual().largest();
    constexpr double right = 1e-6;
    if (!(residual <= right))
      throw NumericalError("the projection onto the coupled set was not found: KKT residual " +
                           short_number(residual) + " (" + report.reason +
                           "); the set may be empty");
    last_ = v_ = program.host_x();
    last_mu_ = mu_ = program.host_multipliers();
  }

  std::shared_ptr<DistanceFunctions> functions_;
  HostAccess access_;
  Bounds box_, bounds_;
  std::unique_ptr<ProgramSolver> solver_;
  bool is_dense_;
  std::size_t n_, m_;
  std::vector<double> c_, jacobian_, hessian_, target_, v_, mu_, reduced_, last_, last_mu_;
  std::vector<double> step_, dense_, unit_;
  ConvexQp qp_;
};

}  // namespace

DistanceFunctions::DistanceFunctions(const BilevelProgram& program)
    : lower_functions_(program.parts().lower),
      upper_functions_(program.parts().upper),
      lower_(*lower_functions_),
      upper_(*upper_functions_),
      n_(static_cast<std::size_t>(program.num_variables())),
      num_lower_(program.parts().lower_constraints.size()),
      num_upper_(program.parts().upper_constraints.size()) {
  jacobian_ = joined(lower_functions_->jacobian_pattern(), upper_functions_->jacobian_pattern(),
                     static_cast<Index>(num_lower_));
  hessian_ = joined(lower_functions_->hessian_pattern(), upper_functions_->hessian_pattern(), 0);
  for (std::size_t j = 0; j < n_; ++j) {
    hessian_.rows.push_back(static_cast<Index>(j));
    hessian_.columns.push_back(static_cast<Index>(j));
  }
}
DistanceFunctions::~DistanceFunctions() = default;

bool DistanceFunctions::is_linear(Index constraint) const {
  const auto lower = static_cast<Index>(num_lower_);
  return constraint < lower ? lower_functions_->is_linear(constraint)
                            : upper_functions_->is_linear(constraint - lower);
}

double DistanceFunctions::host_objective(In v) {
  double sum = 0.0;
  for (std::size_t j = 0; j < n_; ++j) sum += 0.5 * (v[j] - target_[j]) * (v[j] - target_[j]);
  return sum;
}
void DistanceFunctions::host_gradient(In v, Out g) {
  for (std::size_t j = 0; j < n_; ++j) g[j] = v[j] - target_[j];
}
void DistanceFunctions::host_constraints(In v, Out c) {
  if (num_lower_ > 0) lower_.constraints(v, c.first(num_lower_));
  if (num_upper_ > 0) upper_.constraints(v, c.subspan(num_lower_));
}
void DistanceFunctions::host_jacobian(In v, Out values) {
  const std::size_t first = lower_functions_->jacobian_pattern().size();
  lower_.jacobian(v, values.first(first));
  upper_.jacobian(v, values.subspan(first));
}
void DistanceFunctions::host_hessian(In v, double sigma, In multipliers, Out values) {
  const std::size_t first = lower_functions_->hessian_pattern().size();
  const std::size_t second = upper_functions_->hessian_pattern().size();
  lower_.hessian(v, 0.0, multipliers.first(num_lower_), values.first(first));
  upper_.hessian(v, 0.0, multipliers.subspan(num_lower_), values.subspan(first, second));
  for (double& value : values.subspan(first + second)) value = sigma;
}

std::shared_ptr<Projection> newton_projection(const BilevelProgram& program,
                                              std::unique_ptr<ProgramSolver> solver,
                                              bool is_dense) {
  return std::make_shared<NewtonProjection>(program, std::move(solver), is_dense);
}

}  // namespace libsolve::detail

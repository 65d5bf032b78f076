#include "pieces.hpp"

#include <algorithm>
#include <cmath>

#include "general_iteration.hpp"

namespace lv_hba {

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

/// The KKT program's functions with a row f(x, y) - f(x, y_r + S (x - x_r)) for each cut.
class CutFunctions final : public HostProgramFunctions {
 public:
  CutFunctions(const BilevelProgram& problem, std::shared_ptr<LowerKktFunctions> base,
               const Cuts& cuts)
      : problem_(&problem),
        base_(std::move(base)),
        at_base_(*base_),
        lower_(problem.lower()),
        cuts_(cuts),
        nx_(size_of(problem.num_upper())),
        nv_(size_of(problem.num_variables())) {
    jacobian_ = base_->jacobian_pattern();
    hessian_ = base_->hessian_pattern();
    const SparsePattern& L = problem.lower().hessian_pattern();
    for (std::size_t c = 0; c < cuts_.size(); ++c)
      for (std::size_t j = 0; j < nv_; ++j) {
        jacobian_.rows.push_back(base_->num_constraints() + static_cast<Index>(c));
        jacobian_.columns.push_back(static_cast<Index>(j));
      }
    hessian_.rows.insert(hessian_.rows.end(), L.rows.begin(), L.rows.end());
    hessian_.columns.insert(hessian_.columns.end(), L.columns.begin(), L.columns.end());
    for (Index i = 0; i < problem.num_upper(); ++i)
      for (Index j = 0; j <= i; ++j) {
        hessian_.rows.push_back(i);
        hessian_.columns.push_back(j);
      }
  }
  Index num_variables() const override { return base_->num_variables(); }
  Index num_constraints() const override {
    return base_->num_constraints() + static_cast<Index>(cuts_.size());
  }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index constraint) const override {
    return constraint < base_->num_constraints() && base_->is_linear(constraint);
  }

 protected:
  double host_objective(In w) override { return at_base_.objective(w); }
  void host_gradient(In w, Out g) override { at_base_.gradient(w, g); }
  void host_constraints(In w, Out c) override {
    const std::size_t m = size_of(base_->num_constraints());
    at_base_.constraints(w, c.first(m));
    const double f = lower_.objective(w.first(nv_));
    for (std::size_t k = 0; k < cuts_.size(); ++k)
      c[m + k] = f - lower_.objective(cuts_[k].response(w));
  }
  void host_jacobian(In w, Out values) override {
    const std::size_t base_size = base_->jacobian_pattern().size();
    at_base_.jacobian(w, values.first(base_size));
    std::vector<double> here(nv_), there(nv_);
    lower_.gradient(w.first(nv_), here);
    for (std::size_t k = 0; k < cuts_.size(); ++k) {
      lower_.gradient(cuts_[k].response(w), there);
      const Out row = values.subspan(base_size + k * nv_, nv_);
      for (std::size_t j = 0; j < nv_; ++j)
        row[j] = here[j] - (j < nx_ ? along(cuts_[k], there, j) : 0.0);
    }
  }
  void host_hessian(In w, double sigma, In multipliers, Out values) override {
    const std::size_t m = size_of(base_->num_constraints());
    const Out base = values.first(base_->hessian_pattern().size());
    at_base_.hessian(w, sigma, multipliers.first(m), base);
    const SparsePattern& L = problem_->lower().hessian_pattern();
    const Out here = values.subspan(base.size(), L.size());
    const Out there = values.subspan(base.size() + L.size());
    const std::vector<double> no_weights(size_of(problem_->lower().num_constraints()));
    double sum = 0.0;
    for (std::size_t k = 0; k < cuts_.size(); ++k) sum += multipliers[m + k];
    lower_.hessian(w.first(nv_), sum, no_weights, here);
    std::fill(there.begin(), there.end(), 0.0);
    std::vector<double> direction(nv_), image(nv_);
    for (std::size_t k = 0; k < cuts_.size(); ++k) {
      const std::vector<double> at = cuts_[k].response(w);
      for (std::size_t i = 0; i < nx_; ++i) {
        std::fill(direction.begin(), direction.end(), 0.0);
        direction[i] = 1.0;
        for (std::size_t b = nx_; b < nv_; ++b)
          direction[b] = cuts_[k].slope[i * (nv_ - nx_) + b - nx_];
        lower_.apply_hessian(at, multipliers[m + k], no_weights, direction, image);
        for (std::size_t j = 0; j <= i; ++j)
          there[i * (i + 1) / 2 + j] -= along(cuts_[k], image, j);
      }
    }
  }

 private:
  /// slopes . (e_j, S e_j).
  double along(const Cut& cut, const std::vector<double>& slopes, std::size_t j) const {
    double sum = slopes[j];
    for (std::size_t b = nx_; b < nv_; ++b) sum += cut.slope[j * (nv_ - nx_) + b - nx_] * slopes[b];
    return sum;
  }
  const BilevelProgram* problem_;
  std::shared_ptr<LowerKktFunctions> base_;
  HostAccess at_base_, lower_;
  const Cuts& cuts_;
  std::size_t nx_, nv_;
  SparsePattern jacobian_, hessian_;
};

}  // namespace

std::vector<double> Cut::response(std::span<const double> v) const {
  std::vector<double> at(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(x.size()));
  at.insert(at.end(), y.begin(), y.end());
  for (std::size_t j = 0; j < x.size(); ++j)
    for (std::size_t b = 0; b < y.size(); ++b)
      at[x.size() + b] += slope[j * y.size() + b] * (v[j] - x[j]);
  return at;
}

Pieces::Pieces(const BilevelProgram& problem, std::unique_ptr<ProgramSolver> solver)
    : problem_(&problem),
      solver_(std::move(solver)),
      functions_(std::make_shared<LowerKktFunctions>(problem, false)) {}

Pieces::~Pieces() = default;

Pieces::Solution Pieces::solve(const ActiveSet& active, const KktPoint& from, const Cuts& cuts,
                               Monitor& monitor) {
  const std::size_t nv = from.v.size(), m = constraints().size();
  const std::size_t ny = size_of(problem_->num_lower());
  Bounds variables = problem_->variable_bounds();
  // Bounds of y are rows of the KKT program.
  std::fill(variables.lower.end() - problem_->num_lower(), variables.lower.end(), -none);
  std::fill(variables.upper.end() - problem_->num_lower(), variables.upper.end(), none);
  Bounds rows{std::vector<double>(ny, 0.0), std::vector<double>(ny, 0.0)};
  std::vector<double> start = from.v;
  for (std::size_t k = 0; k < m; ++k) {
    const bool is_equality = constraints()[k].is_equality;
    variables.lower.push_back(is_equality ? -none : 0.0);
    variables.upper.push_back(is_equality || active[k] ? none : 0.0);
    start.push_back(is_equality ? from.l[k] : active[k] ? std::max(0.0, from.l[k]) : 0.0);
    rows.lower.push_back(is_equality || active[k] ? 0.0 : -none);
    rows.upper.push_back(0.0);
  }
  const Bounds& upper = problem_->parts().upper_constraints;
  rows.lower.insert(rows.lower.end(), upper.lower.begin(), upper.lower.end());
  rows.upper.insert(rows.upper.end(), upper.upper.begin(), upper.upper.end());
  rows.lower.insert(rows.lower.end(), cuts.size(), -none);
  rows.upper.insert(rows.upper.end(), cuts.size(), 0.0);

  std::shared_ptr<ProgramFunctions> functions = functions_;
  if (!cuts.empty()) functions = std::make_shared<CutFunctions>(*problem_, functions_, cuts);
  NonlinearProgram program(functions, variables, rows, start);
  InnerMonitor inner(monitor);
  const Report report = solver_->solve(program, inner);
  ++solves_;
  iterations_ += report.iterations;
  Solution s;
  const std::vector<double> w = program.host_x();
  s.at.v.assign(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(nv));
  s.at.l.assign(w.begin() + static_cast<std::ptrdiff_t>(nv), w.end());
  s.F = HostAccess(problem_->upper()).objective(s.at.v);
  s.residual = program.kkt_residual().largest();
  s.status = report.status;
  return s;
}

ActiveSet active_set(const BilevelProgram& problem, std::span<const double> v,
                     std::span<const double> lambda, std::span<const double> z) {
  const std::vector<LowerConstraint> list = lower_constraints(problem);
  const std::vector<double> l = one_sided(problem, lambda, z);
  const std::vector<double> inverse = inverse_row_lengths(problem.lower(), problem.v().view());
  std::vector<double> g(lambda.size());
  HostAccess(problem.lower()).constraints(v, g);
  ActiveSet active(list.size());
  for (std::size_t k = 0; k < list.size(); ++k) {
    const LowerConstraint& c = list[k];
    const double scale = c.is_variable ? 1.0 : inverse[size_of(c.row)];
    const double value =
        c.is_variable ? v[size_of(problem.num_upper() + c.row)] : g[size_of(c.row)];
    const double distance = std::max(0.0, -c.sign * (value - c.bound)) * scale;
    active[k] = c.is_equality || l[k] / scale > distance;
  }
  return active;
}

std::vector<double> bound_multipliers(const BilevelProgram& problem, std::span<const double> v,
                                      std::span<const double> lambda) {
  const HostAccess lower(problem.lower());
  std::vector<double> f_v(v.size()), Jt_lambda(v.size());
  lower.gradient(v, f_v);
  if (!lambda.empty()) lower.apply_jacobian_adjoint(v, lambda, Jt_lambda);
  const Bounds& Y = problem.parts().lower_variables;
  std::vector<double> z(Y.size());
  for (std::size_t j = 0; j < z.size(); ++j) {
    const std::size_t i = size_of(problem.num_upper()) + j;
    const double wanted = -(f_v[i] + Jt_lambda[i]);
    z[j] = std::isfinite(wanted > 0.0 ? Y.upper[j] : Y.lower[j]) ? wanted : 0.0;
  }
  return z;
}

std::vector<double> one_sided(const BilevelProgram& problem, std::span<const double> lambda,
                              std::span<const double> z) {
  std::vector<double> l;
  for (const LowerConstraint& c : lower_constraints(problem)) {
    const double both = c.is_variable ? z[size_of(c.row)] : lambda[size_of(c.row)];
    l.push_back(c.is_equality ? both : std::max(0.0, c.sign * both));
  }
  return l;
}

void two_sided(const BilevelProgram& problem, std::span<const double> l,
               std::vector<double>& lambda, std::vector<double>& z) {
  lambda.assign(problem.lower_multipliers().size(), 0.0);
  z.assign(problem.lower_bound_multipliers().size(), 0.0);
  const std::vector<LowerConstraint> list = lower_constraints(problem);
  for (std::size_t k = 0; k < list.size(); ++k) {
    const LowerConstraint& c = list[k];
    (c.is_variable ? z : lambda)[size_of(c.row)] += c.sign * l[k];
  }
}

std::unique_ptr<ProgramSolver> make_program_solver(const Context& context, ComponentSpec spec,
                                                   double tolerance, int max_iterations) {
  const ComponentInfo* info = context.registry == nullptr
                                  ? nullptr
                                  : context.registry->find(ProgramSolver::kind, spec.name);
  const auto set = [&](const char* key, const Value& value) {
    if (info == nullptr || (spec.options.is_table() && spec.options.find(key) != nullptr)) return;
    for (const OptionInfo& option : info->options)
      if (option.name == key) spec.options.set(key, value);
  };
  if (!spec.options.is_table()) spec.options = Value(Value::Table{});
  set("tolerance", Value(tolerance));
  set("max_iterations", Value(max_iterations));
  set("restarts", Value(0));
  return context.make<ProgramSolver>(spec);
}

}  // namespace lv_hba

#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/lower_level.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>

namespace libsolve {

namespace {

/// KKT residual of a problem's own lower-level solution that no general method needs to improve.
constexpr double own_is_good_enough = 1e-10;

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

VectorView make_view(const char* label, Index n) {
  return VectorView(label, size_of(n));
}

auto range(Index begin, Index end) {
  return std::pair(size_of(begin), size_of(end));
}

struct Gather {
  const double* all;
  const std::int64_t* places;
  double* values;
  KOKKOS_FUNCTION void operator()(Index e) const { values[e] = all[places[e]]; }
};

}  // namespace

/// Entries of a pattern in v whose column (and row, of a Hessian) belongs to y.
struct LowerFunctions::Slice {
  SparsePattern pattern = {};
  Kokkos::View<std::int64_t*, MemSpace> places = {};  ///< in the values of the whole pattern
  VectorView all = {};                                ///< those values

  Slice(const SparsePattern& whole, Index nx, bool rows_too)
      : all(make_view("bilevel::entries", static_cast<Index>(whole.size()))) {
    std::vector<std::int64_t> kept;
    for (std::size_t e = 0; e < whole.size(); ++e) {
      if (whole.columns[e] < nx || (rows_too && whole.rows[e] < nx)) continue;
      kept.push_back(static_cast<std::int64_t>(e));
      pattern.rows.push_back(whole.rows[e] - (rows_too ? nx : 0));
      pattern.columns.push_back(whole.columns[e] - nx);
    }
    places = Kokkos::View<std::int64_t*, MemSpace>("bilevel::places", kept.size());
    Kokkos::deep_copy(
        places, Kokkos::View<const std::int64_t*, Kokkos::HostSpace>(kept.data(), kept.size()));
  }

  void gather(const VectorView& values) const {
    for_rows(default_space(), "libsolve::lower_entries", static_cast<Index>(values.extent(0)),
             Gather{all.data(), places.data(), values.data()});
    default_space().fence("libsolve::lower_entries");
  }
};

LowerFunctions::LowerFunctions(const BilevelProgram& problem)
    : lower_(problem.parts().lower), nx_(problem.num_upper()), ny_(problem.num_lower()) {
  v_ = make_view("bilevel::lower_v", nx_ + ny_);
  direction_ = make_view("bilevel::lower_direction", nx_ + ny_);
  result_ = make_view("bilevel::lower_result", nx_ + ny_);
  v_const_ = v_;
  Kokkos::deep_copy(v_, problem.v().view());
  if (!lower_->has_entries()) return;
  hessian_ = std::make_unique<Slice>(lower_->hessian_pattern(), nx_, true);
  if (lower_->num_constraints() > 0)
    jacobian_ = std::make_unique<Slice>(lower_->jacobian_pattern(), nx_, false);
  else
    jacobian_ = std::make_unique<Slice>(SparsePattern{}, nx_, false);
}

LowerFunctions::~LowerFunctions() = default;

void LowerFunctions::set_x(const ConstVectorView& x) {
  Kokkos::deep_copy(Kokkos::subview(v_, range(0, nx_)), x);
}
void LowerFunctions::set_x(std::span<const double> x) {
  Kokkos::deep_copy(Kokkos::subview(v_, range(0, nx_)),
                    Kokkos::View<const double*, Kokkos::HostSpace>(x.data(), x.size()));
}

Index LowerFunctions::num_variables() const {
  return ny_;
}
Index LowerFunctions::num_constraints() const {
  return lower_->num_constraints();
}
std::vector<std::string> LowerFunctions::constraint_names() const {
  return lower_->constraint_names();
}
bool LowerFunctions::has_entries() const {
  return lower_->has_entries();
}
const SparsePattern& LowerFunctions::jacobian_pattern() const {
  return jacobian_ ? jacobian_->pattern : ProgramFunctions::jacobian_pattern();
}
const SparsePattern& LowerFunctions::hessian_pattern() const {
  return hessian_ ? hessian_->pattern : ProgramFunctions::hessian_pattern();
}
bool LowerFunctions::is_linear(Index constraint) const {
  return lower_->is_linear(constraint);
}

const ConstVectorView& LowerFunctions::at(const ConstVectorView& y) {
  Kokkos::deep_copy(Kokkos::subview(v_, range(nx_, nx_ + ny_)), y);
  return v_const_;
}

double LowerFunctions::do_objective(const ConstVectorView& y) {
  return lower_->objective(at(y));
}
void LowerFunctions::do_gradient(const ConstVectorView& y, const VectorView& g) {
  lower_->gradient(at(y), result_);
  Kokkos::deep_copy(g, Kokkos::subview(result_, range(nx_, nx_ + ny_)));
}
void LowerFunctions::do_constraints(const ConstVectorView& y, const VectorView& c) {
  lower_->constraints(at(y), c);
}
void LowerFunctions::do_jacobian(const ConstVectorView& y, const VectorView& values) {
  lower_->jacobian(at(y), jacobian_->all);
  jacobian_->gather(values);
}
void LowerFunctions::do_hessian(const ConstVectorView& y, double sigma,
                                const ConstVectorView& lambda, const VectorView& values) {
  lower_->hessian(at(y), sigma, lambda, hessian_->all);
  hessian_->gather(values);
}
void LowerFunctions::do_apply_jacobian(const ConstVectorView& y, const ConstVectorView& w,
                                       const VectorView& out) {
  Kokkos::deep_copy(Kokkos::subview(direction_, range(nx_, nx_ + ny_)), w);
  lower_->apply_jacobian(at(y), direction_, out);
}
void LowerFunctions::do_apply_jacobian_adjoint(const ConstVectorView& y, const ConstVectorView& w,
                                               const VectorView& out) {
  lower_->apply_jacobian_adjoint(at(y), w, result_);
  Kokkos::deep_copy(out, Kokkos::subview(result_, range(nx_, nx_ + ny_)));
}
void LowerFunctions::do_apply_hessian(const ConstVectorView& y, double sigma,
                                      const ConstVectorView& lambda, const ConstVectorView& w,
                                      const VectorView& out) {
  Kokkos::deep_copy(Kokkos::subview(direction_, range(nx_, nx_ + ny_)), w);
  lower_->apply_hessian(at(y), sigma, lambda, direction_, result_);
  Kokkos::deep_copy(out, Kokkos::subview(result_, range(nx_, nx_ + ny_)));
}

LowerLevel::LowerLevel(const BilevelProgram& problem, std::unique_ptr<ProgramSolver> solver)
    : problem_(&problem),
      solver_(std::move(solver)),
      functions_(std::make_shared<LowerFunctions>(problem)) {
  const std::vector<double> v = problem.host_v();
  program_ = std::make_unique<NonlinearProgram>(
      functions_, problem.parts().lower_variables, problem.parts().lower_constraints,
      std::vector<double>(v.begin() + problem.num_upper(), v.end()));
}

LowerLevel::~LowerLevel() = default;

LowerLevel::Solution LowerLevel::solve(std::span<const double> x, std::span<const double> y,
                                       std::span<const double> lambda, std::span<const double> z,
                                       Monitor& monitor) {
  functions_->set_x(x);
  ++solves_;
  if (problem_->parts().lower_solution) {
    const LowerSolution own = problem_->parts().lower_solution(x);
    program_->set_solution(own.y, own.lambda, own.z);
    program_->has_multipliers = true;
    if (program_->kkt_residual().largest() <= own_is_good_enough)
      return solution(Status::converged);
  } else {
    const bool has_multipliers = lambda.size() == problem_->lower_multipliers().size() &&
                                 z.size() == problem_->lower_bound_multipliers().size();
    const std::vector<double> no_lambda(problem_->lower_multipliers().size());
    const std::vector<double> no_z(problem_->lower_bound_multipliers().size());
    program_->set_solution(y, has_multipliers ? lambda : std::span<const double>(no_lambda),
                           has_multipliers ? z : std::span<const double>(no_z));
    program_->has_multipliers = has_multipliers;
  }
  InnerMonitor inner(monitor);
  const Report report = solver_->solve(*program_, inner);
  iterations_ += report.iterations;
  return solution(report.status);
}

LowerLevel::Solution LowerLevel::solution(Status status) const {
  Solution s;
  s.y = program_->host_x();
  s.lambda = program_->host_multipliers();
  s.z = program_->host_bound_multipliers();
  s.objective = functions_->objective(program_->x().view());
  s.residual = program_->kkt_residual();
  s.status = status;
  return s;
}

}  // namespace libsolve

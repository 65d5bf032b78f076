#include "program_view.hpp"

#include <algorithm>
#include <cmath>

namespace ipopt {

namespace {

constexpr double no_bound = 1e20;  // from 1e19 on Ipopt takes a bound for none

std::size_t size_of(Ipopt::Index n) {
  return static_cast<std::size_t>(n);
}

std::span<const double> array(const double* values, Ipopt::Index n) {
  return {values, size_of(n)};
}

void put_bounds(const Bounds& bounds, double* lower, double* upper) {
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    lower[i] = std::max(bounds.lower[i], -no_bound);
    upper[i] = std::min(bounds.upper[i], no_bound);
  }
}

void put_pattern(const SparsePattern& pattern, Ipopt::Index* rows, Ipopt::Index* columns) {
  std::copy(pattern.rows.begin(), pattern.rows.end(), rows);
  std::copy(pattern.columns.begin(), pattern.columns.end(), columns);
}

}  // namespace

ProgramView::ProgramView(const NonlinearProgram& problem, Monitor& monitor, bool wants_hessian)
    : problem_(problem),
      at_(problem.functions()),
      monitor_(monitor),
      wants_hessian_(wants_hessian) {}

template <class Evaluate>
bool ProgramView::evaluate(std::span<double> out, const Evaluate& evaluate) {
  if (thrown_) return false;
  try {
    evaluate();
  } catch (...) {
    thrown_ = std::current_exception();
    return false;
  }
  return std::all_of(out.begin(), out.end(), [](double v) { return std::isfinite(v); });
}

bool ProgramView::get_nlp_info(Index& n, Index& m, Index& nnz_jac_g, Index& nnz_h_lag,
                               IndexStyleEnum& index_style) {
  n = static_cast<Index>(problem_.num_variables());
  m = static_cast<Index>(problem_.num_constraints());
  const ProgramFunctions& functions = problem_.functions();
  nnz_jac_g = m == 0 ? 0 : static_cast<Index>(functions.jacobian_pattern().size());
  nnz_h_lag = wants_hessian_ ? static_cast<Index>(functions.hessian_pattern().size()) : 0;
  index_style = C_STYLE;
  return true;
}

bool ProgramView::get_bounds_info(Index, Number* x_l, Number* x_u, Index, Number* g_l,
                                  Number* g_u) {
  put_bounds(problem_.variable_bounds(), x_l, x_u);
  put_bounds(problem_.constraint_bounds(), g_l, g_u);
  return true;
}

bool ProgramView::get_starting_point(Index, bool init_x, Number* x, bool init_z, Number* z_L,
                                     Number* z_U, Index, bool init_lambda, Number* lambda) {
  if (init_x) std::ranges::copy(problem_.host_x(), x);
  if (init_lambda) std::ranges::copy(problem_.host_multipliers(), lambda);
  if (init_z) {
    const std::vector<double> z = problem_.host_bound_multipliers();  // z = z_U - z_L
    for (std::size_t j = 0; j < z.size(); ++j) {
      z_L[j] = std::max(-z[j], 0.0);
      z_U[j] = std::max(z[j], 0.0);
    }
  }
  return true;
}

bool ProgramView::get_constraints_linearity(Index m, LinearityType* types) {
  for (Index i = 0; i < m; ++i) types[i] = problem_.functions().is_linear(i) ? LINEAR : NON_LINEAR;
  return true;
}

bool ProgramView::eval_f(Index n, const Number* x, bool, Number& value) {
  return evaluate({&value, 1}, [&] { value = at_.objective(array(x, n)); });
}

bool ProgramView::eval_grad_f(Index n, const Number* x, bool, Number* g) {
  const std::span<double> out(g, size_of(n));
  return evaluate(out, [&] { at_.gradient(array(x, n), out); });
}

bool ProgramView::eval_g(Index n, const Number* x, bool, Index m, Number* c) {
  const std::span<double> out(c, size_of(m));
  return evaluate(out, [&] { at_.constraints(array(x, n), out); });
}

bool ProgramView::eval_jac_g(Index n, const Number* x, bool, Index m, Index num_entries,
                             Index* rows, Index* columns, Number* values) {
  if (m == 0) return true;
  if (values == nullptr) {
    put_pattern(problem_.functions().jacobian_pattern(), rows, columns);
    return true;
  }
  const std::span<double> out(values, size_of(num_entries));
  return evaluate(out, [&] { at_.jacobian(array(x, n), out); });
}

bool ProgramView::eval_h(Index n, const Number* x, bool, Number sigma, Index m,
                         const Number* lambda, bool, Index num_entries, Index* rows, Index* columns,
                         Number* values) {
  if (!wants_hessian_) return false;
  if (values == nullptr) {
    put_pattern(problem_.functions().hessian_pattern(), rows, columns);
    return true;
  }
  const std::span<double> out(values, size_of(num_entries));
  return evaluate(out, [&] { at_.hessian(array(x, n), sigma, array(lambda, m), out); });
}

bool ProgramView::intermediate_callback(Ipopt::AlgorithmMode mode, Index iteration,
                                        Number objective, Number primal, Number dual, Number mu,
                                        Number, Number, Number, Number, Index,
                                        const Ipopt::IpoptData*,
                                        Ipopt::IpoptCalculatedQuantities*) {
  iterations_ = iteration;
  if (mode == Ipopt::RestorationPhaseMode) ++restoration_iterations_;
  if (problem_.is_maximisation) objective = -objective;
  // Stationarity and violation as Ipopt has them; in a restoration they are those of its problem.
  const Sample samples[] = {{"kkt_residual", std::max({primal, dual, mu})},
                            {"objective", objective},
                            {"constraint_violation", primal},
                            {"barrier", mu}};
  try {
    verdict_ = monitor_.observe(iteration, samples);
  } catch (...) {
    thrown_ = std::current_exception();
  }
  return verdict_ == Verdict::proceed && !thrown_;
}

void ProgramView::finalize_solution(Ipopt::SolverReturn, Index n, const Number* x,
                                    const Number* z_L, const Number* z_U, Index m, const Number*,
                                    const Number* lambda, Number, const Ipopt::IpoptData*,
                                    Ipopt::IpoptCalculatedQuantities*) {
  x_.assign(x, x + n);
  lambda_.assign(lambda, lambda + m);
  z_.resize(size_of(n));
  for (std::size_t j = 0; j < z_.size(); ++j) z_[j] = z_U[j] - z_L[j];
}

}  // namespace ipopt

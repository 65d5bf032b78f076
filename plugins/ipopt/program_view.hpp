#pragma once

#include <IpTNLP.hpp>
#include <exception>
#include <libsolve/core/monitor.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>

namespace ipopt {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A NonlinearProgram as Ipopt sees it, and what Ipopt leaves. Values that are not finite are
/// answered with "cannot be evaluated"; exceptions of the functions are kept for the caller, and
/// Ipopt stops.
class ProgramView final : public Ipopt::TNLP {
 public:
  using Index = Ipopt::Index;
  using Number = Ipopt::Number;

  /// `problem` and `monitor` outlive it.
  ProgramView(const NonlinearProgram& problem, Monitor& monitor, bool wants_hessian);

  bool is_finished() const { return !x_.empty(); }
  /// Ipopt's last point; valid once finished.
  const std::vector<double>& x() const { return x_; }
  const std::vector<double>& multipliers() const { return lambda_; }
  const std::vector<double>& bound_multipliers() const { return z_; }
  std::int64_t iterations() const { return iterations_; }
  std::int64_t restoration_iterations() const { return restoration_iterations_; }
  Verdict verdict() const { return verdict_; }
  std::exception_ptr thrown() const { return thrown_; }

  bool get_nlp_info(Index& n, Index& m, Index& nnz_jac_g, Index& nnz_h_lag,
                    IndexStyleEnum& index_style) override;
  bool get_bounds_info(Index n, Number* x_l, Number* x_u, Index m, Number* g_l,
                       Number* g_u) override;
  bool get_starting_point(Index n, bool init_x, Number* x, bool init_z, Number* z_L, Number* z_U,
                          Index m, bool init_lambda, Number* lambda) override;
  bool get_constraints_linearity(Index m, LinearityType* types) override;
  bool eval_f(Index n, const Number* x, bool new_x, Number& value) override;
  bool eval_grad_f(Index n, const Number* x, bool new_x, Number* g) override;
  bool eval_g(Index n, const Number* x, bool new_x, Index m, Number* c) override;
  bool eval_jac_g(Index n, const Number* x, bool new_x, Index m, Index num_entries, Index* rows,
                  Index* columns, Number* values) override;
  bool eval_h(Index n, const Number* x, bool new_x, Number sigma, Index m, const Number* lambda,
              bool new_lambda, Index num_entries, Index* rows, Index* columns,
              Number* values) override;
  bool intermediate_callback(Ipopt::AlgorithmMode mode, Index iteration, Number objective,
                             Number primal, Number dual, Number mu, Number step_norm,
                             Number regularization, Number alpha_dual, Number alpha_primal,
                             Index trials, const Ipopt::IpoptData* data,
                             Ipopt::IpoptCalculatedQuantities* quantities) override;
  void finalize_solution(Ipopt::SolverReturn status, Index n, const Number* x, const Number* z_L,
                         const Number* z_U, Index m, const Number* c, const Number* lambda,
                         Number objective, const Ipopt::IpoptData* data,
                         Ipopt::IpoptCalculatedQuantities* quantities) override;

 private:
  /// Runs `evaluate` into `out`; false where it throws or leaves a value that is not finite.
  template <class Evaluate>
  bool evaluate(std::span<double> out, const Evaluate& evaluate);

  const NonlinearProgram& problem_;
  HostAccess at_;
  Monitor& monitor_;
  bool wants_hessian_;
  std::vector<double> x_, lambda_, z_;
  std::int64_t iterations_ = 0;
  std::int64_t restoration_iterations_ = 0;
  Verdict verdict_ = Verdict::proceed;
  std::exception_ptr thrown_;
};

}  // namespace ipopt

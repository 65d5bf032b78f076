#pragma once

#include <libsolve/transport/transport_problem.hpp>
#include <string>
#include <vector>

namespace sinkhorn_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

using Numbers = std::vector<double>;

/// The dual of entropic transport with f maximised out,
///   F(g) = max_f  A(f) + B(g) - eps sum_ij exp((f_i + g_j - C_ij) / eps),
/// A(f) = <a, f>, or rho sum a_i (1 - exp(-f_i / rho)) with relaxed marginals; B(g) likewise.
/// Concave. One pass (a Sinkhorn row update) gives f(g), the value and the gradient
///   dF/dg_j = target_j - c_j,   target_j = b_j or b_j exp(-g_j / rho),   c = P^T 1;
/// rows fit exactly after it, so |gradient|_1 is the whole marginal violation.
/// Numbers of length n and m live on the host, where the Newton matrix is formed; on the host they
/// are the problem's own.
class SemiDual {
 public:
  explicit SemiDual(const TransportProblem& problem);

  /// Copies between f(), g() and the problem, where those are on a device.
  void fetch();
  void store();

  double eps = 1.0;
  Index n() const { return n_; }
  Index m() const { return m_; }
  double mass() const { return mass_; }
  const TransportProblem& problem() const { return problem_; }
  Numbers f, g;            ///< potentials; f is a prediction before pass()
  Numbers r, c;            ///< sums of the plan after pass(); before the first, r is a
  Numbers gradient;        ///< after pass()
  double violation = 0.0;  ///< after pass()
  double value = 0.0;      ///< after pass(): F(g)
  /// lambda = rho / (rho + eps), or 1.
  double damping() const { return rho_ > 0.0 ? rho_ / (rho_ + eps) : 1.0; }
  /// eps / rho, or 0.
  double relaxation() const { return rho_ > 0.0 ? eps / rho_ : 0.0; }
  double target(Index j, double potential) const;

  /// All that pass() leaves, to come back to.
  struct State {
    Numbers f, g, r, c, gradient;
    double violation, value;
  };
  State state() const { return {f, g, r, c, gradient, violation, value}; }
  void restore(const State& s);

  /// False where potentials or sums are not finite and cannot be repaired.
  bool pass();
  std::int64_t passes = 0;
  std::int64_t repairs = 0;  ///< rows whose sums were lost, over all passes

 private:
  void scale();
  void evaluate();
  const TransportProblem& problem_;
  Index n_, m_;
  double rho_ = 0.0;
  double mass_ = 0.0;
  Numbers a_, b_;
  VectorView row_sums_, column_sums_;
};

/// Host copies of views.
Numbers to_host(const ConstVectorView& v);
void to_device(const Numbers& v, const VectorView& to);

}  // namespace sinkhorn_newton

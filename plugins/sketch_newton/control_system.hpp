#pragma once

#include <libsolve/core/random.hpp>
#include <libsolve/optimize/control_structure.hpp>

#include "newton_system.hpp"
#include "symmetric_factors.hpp"

namespace sketch_newton {

/// Newton systems of discretised elliptic control (ControlStructure), N x N points, without entries
/// of factors. With the control eliminated and lambda = s q, s = sqrt(mean d mean r),
///   [ D    s A ] (dy)   ( r_y                )      D = diag(d) >= 1e-2 max d, R = diag(r):
///   Hessians of [ s A  -E  ] (q ) = ( s (r_c + R^-1 r_u) ),     state and control, E = s^2 (R^-1 +
///   dc)
/// by flexible GMRES around one multilevel cycle of subspace corrections d += P (P^T K P)^-1 P^T r:
/// the subspaces are the pairs (y_i, q_i) of one colour of the red-black grid on each level, taken
/// in order or in random order (sketch-and-project in the norm of K is that: /README.md). Memory is
/// some 30 numbers a point and level, beside the Krylov vectors.
class ControlSystem final : public NewtonSystem {
 public:
  ControlSystem(const Form& form, const ControlStructure& structure, double accuracy,
                bool random_order, std::uint64_t seed);
  /// Whether `form` is what the structure says, without bounds, slacks or fixed variables.
  static bool fits(const Form& form, const ControlStructure& structure);

  void set(In hessian, In jacobian, In d) override;
  bool factor(double dw, double dc) override;
  /// Negative curvature of the state is clipped.
  bool has_right_inertia() const override { return true; }
  double solve(In b, Numbers& x) override;

  std::int64_t cycles = 0;

 private:
  struct Level {
    std::size_t n = 0;         ///< points an axis
    double beside = 0.0;       ///< 1 / h^2
    Numbers a, d, e;           ///< diagonal of A, D and E
    Numbers y, q, f, g, r, t;  ///< solution, right-hand sides, residuals
  };
  void smooth(Level& level, bool backwards);
  void relax(Level& level, std::size_t colour);
  void residual(Level& level);
  void cycle(std::size_t k);
  void multiply(In v, Out w) const;
  void make_coarse(const Level& fine, Level& coarse) const;
  bool factor_coarsest();

  std::vector<Level> levels_;
  std::vector<std::size_t> diagonal_;  ///< of A in the Jacobian's entries
  const SparsePattern& hessian_pattern_;
  Numbers state_, control_;  ///< Hessians of state and control
  Numbers inverse_control_;  ///< with shifts
  double s_ = 1.0, dc_ = 0.0, accuracy_;
  bool random_order_;
  RandomStream random_;
  std::uint64_t drawn_ = 0;
  std::unique_ptr<SymmetricFactors> coarsest_;
};

}  // namespace sketch_newton

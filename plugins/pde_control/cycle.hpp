#pragma once

#include <cstdint>
#include <libsolve/core/options.hpp>
#include <libsolve/core/vector.hpp>
#include <libsolve/pde/q1_stencil.hpp>
#include <memory>
#include <optional>

#include "dense_factors.hpp"
#include "points.hpp"

namespace pde_control {

/// Sweeps and order of visits of multigrid cycles.
struct CycleOptions {
  int sweeps = 2;
  std::string cycle = "V";
  std::optional<double> omega;

  template <class O>
  static void describe_common(Fields<O>& f) {
    f.add("sweeps", &O::sweeps, Range::closed(1, 20), "before and after each coarse correction");
    f.add("cycle", &O::cycle, Choices{{"V", "W"}}, "order of the visits to coarse levels");
    f.add(
        "omega", &O::omega, Range::open(0.0, 2.0),
        "relaxation factor; auto: 0.8 on levels of collective cycles where sqrt(alpha) K does not "
        "outweigh M 20 times on the diagonal, else 1");
  }
};

/// What a hierarchy is for. `stiffness` is the factor s.
struct CycleProblem {
  NodeGrid grid;
  double stiffness = 1.0;
  /// Diagonal of W at the inner nodes of the rank; empty: W = M. Only with two fields.
  ConstVectorView diagonal = {};
};

/// Geometric multigrid cycles on nodes, matrix-free, in float, for
///   F = 1:  (M + s K) v = f, symmetric positive definite,
///   F = 2:  (M, s K; s K, -W) (y, q) = (f, g), the conditions of optimality.
/// Coarse matrices are those of every second node, which for M and K are the Galerkin products
/// P^T A P; a diagonal W becomes diag(P^T w). Smoothing: Gauss-Seidel by 2^D colours, for F = 2
/// both unknowns of a node together, under-relaxed on levels where M and s K are of one size (there
/// the eigenvalues of a sweep are complex), in the reverse order after the coarse correction, so
/// that the cycle is symmetric. The coarsest level is factorised; over ranks levels of few planes
/// are gathered on every rank. One cycle costs about (4 sweeps + 1) products over the finest level,
/// 4/3 (2D) or 8/7 (3D) with the others. Where the grid has a mask its nodes outside are left out of
/// sweeps, transfers and coarse matrices and solved each by itself.
template <int F>
class Cycle {
 public:
  /// Throws ShapeError where the number of cells cannot be halved often enough. Collective.
  Cycle(const CycleProblem& problem, const CycleOptions& options);
  ~Cycle();
  Cycle(Cycle&&) noexcept;

  /// Other coefficients on the same grid.
  void set(double stiffness, const ConstVectorView& diagonal = {});
  /// z = one cycle from zero for the right-hand side r; vectors of F parts of inner nodes.
  void apply(const Vector& r, const Vector& z);
  /// z = full multigrid: from the coarsest level upwards, a cycle on each.
  void apply_nested(const Vector& r, const Vector& z);

  int num_levels() const;
  double memory_bytes() const;
  std::int64_t num_cycles = 0;

 private:
  struct Level;
  struct Levels;
  void load(const Vector& r, double scale);
  void store(double scale, const Vector& z);
  void solve_outside(const Vector& r, const Vector& z);
  void cycle(std::size_t level);
  void smooth(Level& level, bool backwards);
  void fetch(const Level& level);
  void form_residual(Level& level);
  void restrict_to(const Level& fine, Level& coarse, const RealView* from, RealView* to);
  void prolong(const Level& coarse, Level& fine, bool add);
  void solve_coarsest();
  void factorise();
  template <class Use>
  void with_equation(const Level& level, const Use& use) const;

  CycleOptions options_;
  std::unique_ptr<Levels> levels_;
};

extern template class Cycle<1>;
extern template class Cycle<2>;

}  // namespace pde_control

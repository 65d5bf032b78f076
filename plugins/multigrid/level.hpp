/// \file
/// One grid of a multigrid hierarchy, as the cycle sees it.
///
/// A cycle on level l, for A_l z = rhs (paper notation: S pre- and post-smoother, P prolongation):
///   descend:  z <- S(z, rhs);   rhs_{l+1} = P^T (rhs - A_l z)
///   (coarser levels turn rhs_{l+1} into z_{l+1})
///   ascend:   z <- z + P z_{l+1};   z <- S(z, rhs);   publish z
/// Everything that crosses from one level to the next is in natural order (cell i + nx (j + ny k));
/// how a level stores its own copies of rhs and z is its own business.
#pragma once

#include <Kokkos_Core.hpp>
#include <array>
#include <cstdint>

namespace multigrid {

using ExecSpace = Kokkos::DefaultExecutionSpace;
using MemSpace = ExecSpace::memory_space;

template <class Real>
using View = Kokkos::View<Real*, MemSpace>;
template <class Real>
using ConstView = Kokkos::View<const Real*, MemSpace>;

/// Cells along x (fastest), y, z; unused axes have one cell.
struct Shape {
  std::array<int, 3> n{1, 1, 1};

  [[nodiscard]] std::int64_t size() const { return std::int64_t(n[0]) * n[1] * n[2]; }
  bool operator==(const Shape&) const = default;
};

/// Right-hand side handed to a level: either `level` (written by the finer level, used as it is)
/// or, on the finest level, `outer`, of which the level uses scale * outer[c].
template <class Real>
struct Rhs {
  ConstView<Real> level;
  ConstView<double> outer;
  double scale = 1.0;

  [[nodiscard]] bool is_outer() const { return outer.data() != nullptr; }
};

/// Where a level publishes z when it has finished: either `level`, or, on the finest level,
/// outer[c] = scale * z[c]; then also, in the same pass and in double,
///   dot_rhs = sum_c outer[c] rhs.outer[c],   dot_other = sum_c outer[c] other[c]
/// (`other` may be empty: dot_other = 0). The fused host path gives the
/// same sums for any number of threads, the others for a given number.
template <class Real>
struct Result {
  View<Real> level;
  View<double> outer;
  ConstView<double> other;
  double scale = 1.0;
  double dot_rhs = 0.0;
  double dot_other = 0.0;

  [[nodiscard]] bool is_outer() const { return outer.data() != nullptr; }
};

enum class Start {
  zero,      ///< z = 0 on entry: the first visit of a cycle
  continued  ///< z as the last `ascend` left it: second visit (W and F cycles); same rhs as before
};

/// Time of a level in doubles that STREAM triad moves meanwhile (8 bytes each), counted from the
/// numbers it stores with factors fitted to measurements (cost.hpp): 0.2 ln of the time or so.
struct Work {
  double setup = 0.0;
  double visit = 0.0;  ///< descend and ascend
  Work& operator+=(const Work& w) {
    setup += w.setup;
    visit += w.visit;
    return *this;
  }
};

/// One level: operator, smoother, and the transfers to and from the next coarser one.
template <class Real>
class Level {
 public:
  virtual ~Level() = default;

  [[nodiscard]] virtual Shape shape() const = 0;

  /// Cells of the next coarser level, that is, the length of coarse_rhs and coarse_z below; for
  /// coarse points that are no tensor grid of cells only the product matters.
  [[nodiscard]] virtual Shape coarse_shape() const = 0;

  /// Pre-smoothing, residual and restriction:
  ///   z <- S_pre(z, rhs) from `start`,   coarse_rhs = P^T (rhs - A z), every entry written.
  /// The level keeps what it needs of rhs until the `ascend` that follows; for Start::continued
  /// `rhs` is the same as in the call before and need not be read again.
  virtual void descend(const Rhs<Real>& rhs, Start start, const View<Real>& coarse_rhs) = 0;

  /// Prolongation and post-smoothing:
  ///   z <- S_post(z + P coarse_z, rhs), then z published to `result`.
  virtual void ascend(const Rhs<Real>& rhs, const ConstView<Real>& coarse_z,
                      Result<Real>& result) = 0;

  /// z <- these numbers, natural order: before a descend(Start::continued) whose z is not wholly
  /// that of the last ascend().
  virtual void set_iterate(const ConstView<Real>& z) = 0;

  /// Bytes held, for the report.
  [[nodiscard]] virtual std::size_t bytes() const = 0;

  /// What choices between cycles compare: numbers that are counted, never timed.
  [[nodiscard]] virtual Work work() const = 0;
};

/// What the coarsest level does: z = A^+ rhs, exactly (to rounding).
template <class Real>
class CoarseSolver {
 public:
  virtual ~CoarseSolver() = default;
  [[nodiscard]] virtual Shape shape() const = 0;
  virtual void solve(const ConstView<Real>& rhs, const View<Real>& z) = 0;
  [[nodiscard]] virtual std::size_t bytes() const = 0;
  [[nodiscard]] virtual Work work() const = 0;
};

/// The 7-point operator of one level while the hierarchy is being built (natural order):
///   (A u)_c = sum over faces f of c: T_f (u_c - u_neighbour) + (wall_c + mass_c) u_c.
/// `is_constant`: coupling, side and shift hold everything and the views are empty; side[a][s] is
/// what domain side s of axis a adds to the wall part of its cells, shift is the mass part.
/// Otherwise face[a][c] belongs to the face between c and its next neighbour along a (0 at the end
/// of the axis), and wall, mass are the two parts of the excess. They are apart because a coarse
/// level takes half the sum of wall links (they scale as faces do), but the whole sum of mass.
/// last_width[a]: width along a of the last layer of cells relative to the others (coarse grids of
/// odd lengths have a narrower one); it only matters for how the next coarser operator is scaled.
/// An empty mass view stands for zero. A cell whose faces are all zero is solid or isolated: it is
/// relaxed alone and takes no part in coarser levels.
template <class Real>
struct LevelOperator {
  Shape shape;
  bool is_constant = true;
  std::array<double, 3> coupling{0, 0, 0};
  std::array<std::array<double, 2>, 3> side{};
  double shift = 0.0;
  std::array<double, 3> last_width{1, 1, 1};
  std::array<View<Real>, 3> face;
  View<Real> wall;
  View<Real> mass;
};

}  // namespace multigrid

#pragma once

#include <vector>

#include "krylov_solver.hpp"

namespace krylov {

struct GmresOptions : KrylovOptions {
  std::int64_t restart = 30;

  static void describe(Fields<GmresOptions>& f) {
    describe_common(f);
    f.add("restart", &GmresOptions::restart, Range::at_least(1.0),
          "steps between restarts: one vector each (two with a preconditioner that varies)");
  }
};

/// Restarted GMRES (Saad and Schultz 1986) for square A of any kind, preconditioned from the right
/// (the residual is that of A x = b, and its norm falls from step to step within a cycle):
///   w = A M v_j,  h = V^T w,  w -= V h,  v_{j+1} = w / ||w||,  min_y || ||r|| e_1 - H y ||,
/// and x += M V y at the end of a cycle; a preconditioner that is not linear keeps the vectors
/// z_j = M v_j instead and x += Z y (flexible GMRES, Saad 1993).
///
/// Orthogonalisation is classical Gram-Schmidt, repeated where the norm has dropped below a tenth
/// (Daniel, Gragg, Kaufman, Stewart 1976; once is enough then: Giraud, Langou, Rozloznik, van den
/// Eshof 2005), so that no more than a digit of orthogonality is lost in a step. It needs one
/// reduction where modified Gram-Schmidt needs j, and reads w once for four basis vectors.
/// Work of step j: one product, one M, about 2.5 j doubles a row for a pass.
class Gmres final : public KrylovSolver {
 public:
  using Options = GmresOptions;
  Gmres(const Options& options, const Context& context);

 protected:
  void allocate(const LinearSystem& system) override;
  double work_bytes() const override;
  void begin(Solve& s) override;
  Stop iterate(Solve& s) override;

 private:
  /// One cycle from s.r; x is updated whatever ended it. nullopt: the cycle is full.
  std::optional<Stop> cycle(Solve& s);
  /// h += V^T w, w -= V (V^T w) for the first `num` basis vectors; returns w^T w after it.
  double orthogonalise(const Vector& w, Index num, double* h);
  /// x += M V y or Z y, y from the triangular system of the first `num` columns. False where that
  /// is singular.
  bool update_solution(Solve& s, Index num);

  const std::int64_t asked_restart_;
  Index restart_ = 0;
  bool flexible_ = false;
  std::vector<Vector> V_;  ///< restart + 1 basis vectors
  std::vector<Vector> Z_;  ///< restart vectors, flexible only
  Vector z_;
  Vector u_;
  std::vector<double> H_;  ///< upper triangle after the rotations, column by column
  std::vector<double> h_, cosine_, sine_, g_, y_, correction_;
};

}  // namespace krylov

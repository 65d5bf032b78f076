#pragma once

#include <array>
#include <libsolve/core/resumable.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <vector>

namespace tuning {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// The Jacobi radius mu = rho(I - D^-1 A) of operators that differ by a context, at the price of
/// few products with A.
///   lambda = v^T A v / v^T D v,   mu = (1 - lambda) max(1, (largest - 1) / (1 - smallest)),
/// v an approximate eigenvector of the smallest eigenvalue of D^-1 A: on a grid a product of sines (or
/// ones) where it is one, else from Lanczos steps that start there. The two forms are followed over the
/// context as straight lines through two of the contexts met; a third one checks them, then ones ever
/// further apart. Where a line does not do, the forms are computed for every system. Where a system is
/// harder than any before, and v is no eigenvector of it, v is found anew.
class JacobiRadius {
 public:
  void begin() { *this = JacobiRadius(); }
  /// For the operator of `system`. Throws Unsupported where it offers no diagonal.
  double estimate(double context, const LinearSystem& system);
  /// Something has changed: the next estimate begins with a new vector.
  void doubt() { is_doubted_ = true; }
  /// Products with A so far, and the seconds of all work over the unknowns.
  double products() const { return products_; }
  double seconds() const { return seconds_; }
  std::vector<Field> state() const;
  void restore(const StateSource& state, const LinearSystem& system);

 private:
  struct Forms {
    double context = 0.0;
    double vAv = 0.0;
    double vDv = 0.0;
    /// ||A v - lambda D v||^2 / v^T D v in the norm of D^-1: some eigenvalue of D^-1 A is as near to
    /// lambda as its root (Parlett, The Symmetric Eigenvalue Problem, 4.5).
    double error2 = 0.0;
    double lambda() const { return vAv / vDv; }
    /// To this part of lambda.
    bool is_eigenvector_to(double part) const {
      return vAv > 0.0 && error2 <= part * part * lambda() * lambda();
    }
  };
  double estimate_anew(double context, const LinearSystem& system);
  double check(double context, const LinearSystem& system);
  double radius(double lambda) const;
  /// The forms of v; v as it is.
  Forms measure(double context, const LinearSystem& system);
  /// v = the smooth vector, of those that cost nothing, with the smallest lambda.
  Forms start_vector(double context, const LinearSystem& system);
  void forget_line();
  /// Lanczos steps from D v, or from random numbers; v is then their approximate eigenvector.
  void improve_vector(const LinearSystem& system);
  /// From random numbers; line_[0] knows the smallest eigenvalue.
  void find_asymmetry(const LinearSystem& system);
  Forms predict(double context) const;
  bool is_near(double context) const;
  void keep(const Forms& forms);

  void take_diagonal(const LinearSystem& system);
  /// v and work vectors for these systems, zero.
  void make_vector(const LinearSystem& system);
  const Vector& v() const { return v_.values; }

  Field v_;   ///< no storage: none yet
  Vector d_;  ///< diagonal of A, or its inverse
  Vector q_;
  double asymmetry_ = 1.0;  ///< (largest - 1) / (1 - smallest) of D^-1 A; 1 for red-black orders
  double hardest_ = 2.0;    ///< smallest lambda that v is an eigenvector for
  std::array<Forms, 2> line_ = {};
  int points_ = 0;
  double seen_ = 0.0;    ///< systems
  double gap_ = 1.0;     ///< systems between checks
  double until_ = 0.0;   ///< the next check
  double products_ = 0.0;
  double seconds_ = 0.0;
  bool is_trusted_ = false;
  bool is_doubted_ = false;
};

}  // namespace tuning

#pragma once

#include <petsctao.h>

#include <libsolve/adapters/petsc/detail/session.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>

namespace libsolve::petsc::detail {

/// One of PETSc's objects, destroyed while PETSc is up.
template <class Object, PetscErrorCode (*destroy)(Object*)>
struct Owned {
  Object object = nullptr;
  Owned() = default;
  ~Owned() {
    if (object != nullptr && is_up()) (void)destroy(&object);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
};

/// One condition as TAO wants it: sign * v + shift, = 0 or >= 0, where v is a constraint or a
/// variable.
struct TaoRow {
  bool is_variable = false;
  std::size_t index = 0;
  double sign = 1.0;
  double shift = 0.0;
};

/// A SEQAIJ filled from an array of values: entry `source` times `sign` goes to (row, column).
class TaoMatrix {
 public:
  struct Entry {
    PetscInt row = 0;
    PetscInt column = 0;
    std::size_t source = 0;
    double sign = 1.0;
  };
  TaoMatrix() = default;
  ~TaoMatrix();
  TaoMatrix(const TaoMatrix&) = delete;
  TaoMatrix& operator=(const TaoMatrix&) = delete;
  /// Entries in any order; those of the same place add up.
  void create(PetscInt num_rows, PetscInt num_columns, std::vector<Entry> entries);
  PetscErrorCode fill(const std::vector<double>& values);
  Mat mat() const { return mat_; }

 private:
  Mat mat_ = nullptr;
  std::vector<Entry> entries_;
  std::vector<std::size_t> slots_;  ///< where the entries go
  std::vector<PetscInt> row_pointers_, columns_;
};

/// A NonlinearProgram in TAO's words: equalities = 0, inequalities >= 0, in that order.
class TaoProgram {
 public:
  /// `bounds_as_rows`: bounds of variables become conditions, too.
  TaoProgram(const NonlinearProgram& problem, bool bounds_as_rows);

  const std::vector<TaoRow>& equalities() const { return equal_; }
  const std::vector<TaoRow>& inequalities() const { return unequal_; }
  std::size_t num_variables() const { return n_; }
  bool has_bounds() const { return has_bounds_; }

  /// Whether a value was met that is not finite.
  bool saw_non_finite() const { return saw_non_finite_; }

  double objective(const double* x);
  void gradient(const double* x, double* g);
  void conditions(const std::vector<TaoRow>& rows, const double* x, double* values);
  /// Entries of J at x, and 1 for conditions of variables, as TaoMatrix wants them.
  const std::vector<double>& jacobian(const double* x);
  const std::vector<double>& hessian(const double* x, const std::vector<double>& lambda);
  std::vector<TaoMatrix::Entry> jacobian_entries(const std::vector<TaoRow>& rows) const;
  std::vector<TaoMatrix::Entry> hessian_entries() const;

  /// Multipliers of conditions, in f + sum mu_r row_r, as lambda and z.
  void add_multipliers(const std::vector<TaoRow>& rows, const double* mu, double factor,
                       std::vector<double>& lambda, std::vector<double>& z) const;
  /// lambda from least squares of the stationarity over the variables away from their bounds, for
  /// constraints that are active to 1e-5; those of inequalities with their sign or 0.
  std::vector<double> least_squares_multipliers(const std::vector<double>& x);
  /// z at bounds that are active, from stationarity at x; 0 elsewhere.
  std::vector<double> bound_multipliers(const std::vector<double>& x,
                                        const std::vector<double>& lambda) const;

 private:
  void add_rows(const Bounds& bounds, bool is_variable);
  void look_at(std::span<const double> values);
  bool is_at_lower(double x, std::size_t j) const;
  bool is_at_upper(double x, std::size_t j) const;

  const NonlinearProgram& problem_;
  HostAccess at_;
  std::size_t n_ = 0, m_ = 0;
  bool has_bounds_ = false;
  bool saw_non_finite_ = false;
  std::vector<TaoRow> equal_, unequal_;
  // The last x of constraints and Jacobian: TAO asks for equalities and inequalities one by one.
  std::vector<double> c_x_, c_, jacobian_x_, jacobian_, hessian_;
};

}  // namespace libsolve::petsc::detail

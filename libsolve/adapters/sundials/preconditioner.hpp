#pragma once

#include <libsolve/adapters/sundials/bridges.hpp>
#include <libsolve/adapters/sundials/operator_sum.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <memory>
#include <string>

/// Preconditioners of libsolve for the Krylov methods of SUNDIALS (SPGMR, SPFGMR, PCG, ...).
namespace libsolve::sun {

/// z = M r with M an approximate inverse of s I + c L, s and c given at set-up, L kept: for
/// u_t = -L u + f (J = -L) CVODE and ARKODE ask for I - gamma J = I + gamma L. L is shared, never
/// assembled anew; operator_sum() says what happens for which operator.
///
///   struct Heat { sun::ShiftedPreconditioner M; ... };
///   CVodeSetPreconditioner(cvode, sun::psetup<&Heat::M>, sun::psolve<&Heat::M>);
///
/// with the Heat object as the integrator's user data. solve() allocates no Kokkos memory.
class LIBSOLVE_EXPORT ShiftedPreconditioner {
 public:
  /// J = jacobian_factor L.
  ShiftedPreconditioner(std::unique_ptr<Preconditioner> M, std::shared_ptr<const LinearOperator> L,
                        double jacobian_factor = -1.0);
  ~ShiftedPreconditioner();
  ShiftedPreconditioner(const ShiftedPreconditioner&) = delete;
  ShiftedPreconditioner& operator=(const ShiftedPreconditioner&) = delete;

  /// A Jacobian that changed.
  void set_jacobian(std::shared_ptr<const LinearOperator> L, double jacobian_factor = -1.0);

  // All return what SUNDIALS expects: 0; > 0 where a smaller step may help (the preparation broke
  // down); < 0 where nothing will. reason() says why.

  /// Prepares M for shift I + scale J, unless it is prepared for just that.
  int setup(double shift, double scale) noexcept;
  /// z = M r, for r, z of any kind that as_vector() takes.
  int solve(N_Vector r, N_Vector z) noexcept;
  /// v = M v.
  int solve_in_place(N_Vector v) noexcept;

  std::int64_t num_setups() const noexcept { return num_setups_; }
  std::int64_t num_solves() const noexcept { return num_solves_; }
  const std::string& reason() const noexcept { return reason_; }
  const Preconditioner& preconditioner() const noexcept { return *M_; }

 private:
  void apply(const Vector& r, const Vector& z);

  std::unique_ptr<Preconditioner> M_;
  std::shared_ptr<const LinearOperator> L_;
  double jacobian_factor_;
  std::shared_ptr<const LinearOperator> prepared_for_;
  double shift_ = 0.0;
  double scale_ = 0.0;
  Vector scratch_;
  std::int64_t num_setups_ = 0;
  std::int64_t num_solves_ = 0;
  std::string reason_;
};

namespace detail {
template <class Member>
struct OwnerOf;
template <class Owner, class Type>
struct OwnerOf<Type Owner::*> {
  using type = Owner;
};
/// The ShiftedPreconditioner (or pointer to one) that `member` names in the integrator's user data.
template <auto member>
ShiftedPreconditioner& preconditioner_in(void* user_data) {
  auto& it = static_cast<typename OwnerOf<decltype(member)>::type*>(user_data)->*member;
  if constexpr (requires { *it; })
    return *it;
  else
    return it;
}
}  // namespace detail

// ---- What the integrators call; `member` lies in the user data ----------------------------------

/// CVODE(S), ARKODE: M for I - gamma J.
template <auto member>
int psetup(sunrealtype, N_Vector, N_Vector, sunbooleantype is_jacobian_good,
           sunbooleantype* is_jacobian_new, sunrealtype gamma, void* user_data) {
  *is_jacobian_new = is_jacobian_good ? SUNFALSE : SUNTRUE;
  return detail::preconditioner_in<member>(user_data).setup(1.0, -gamma);
}
template <auto member>
int psolve(sunrealtype, N_Vector, N_Vector, N_Vector r, N_Vector z, sunrealtype, sunrealtype, int,
           void* user_data) {
  return detail::preconditioner_in<member>(user_data).solve(r, z);
}

/// IDA(S) for F = y' - f(t, y): M for c_j I - J.
template <auto member>
int ida_psetup(sunrealtype, N_Vector, N_Vector, N_Vector, sunrealtype c_j, void* user_data) {
  return detail::preconditioner_in<member>(user_data).setup(c_j, -1.0);
}
template <auto member>
int ida_psolve(sunrealtype, N_Vector, N_Vector, N_Vector, N_Vector r, N_Vector z, sunrealtype,
               sunrealtype, void* user_data) {
  return detail::preconditioner_in<member>(user_data).solve(r, z);
}

/// KINSOL: M for J.
template <auto member>
int kinsol_psetup(N_Vector, N_Vector, N_Vector, N_Vector, void* user_data) {
  return detail::preconditioner_in<member>(user_data).setup(0.0, 1.0);
}
template <auto member>
int kinsol_psolve(N_Vector, N_Vector, N_Vector, N_Vector, N_Vector v, void* user_data) {
  return detail::preconditioner_in<member>(user_data).solve_in_place(v);
}

}  // namespace libsolve::sun

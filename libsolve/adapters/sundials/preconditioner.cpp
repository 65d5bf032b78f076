#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/adapters/sundials/preconditioner.hpp>
#include <libsolve/core/errors.hpp>

namespace libsolve::sun {

namespace {

/// 0; 1 where f could not do it with these numbers, -1 where it never will.
template <class Function>
int guarded(std::string& reason, const Function& f) noexcept {
  try {
    f();
    return 0;
  } catch (const NumericalError& e) {
    reason = e.what();
    return 1;
  } catch (const std::exception& e) {
    reason = e.what();
    return -1;
  }
}

}  // namespace

ShiftedPreconditioner::ShiftedPreconditioner(std::unique_ptr<Preconditioner> M,
                                             std::shared_ptr<const LinearOperator> L,
                                             double jacobian_factor)
    : M_(std::move(M)),
      L_(std::move(L)),
      jacobian_factor_(jacobian_factor),
      scratch_("sun::preconditioner", L_->row_partition()) {}

ShiftedPreconditioner::~ShiftedPreconditioner() = default;

void ShiftedPreconditioner::set_jacobian(std::shared_ptr<const LinearOperator> L,
                                         double jacobian_factor) {
  L_ = std::move(L);
  jacobian_factor_ = jacobian_factor;
  prepared_for_.reset();
}

int ShiftedPreconditioner::setup(double shift, double scale) noexcept {
  return guarded(reason_, [&] {
    if (prepared_for_ != nullptr && shift == shift_ && scale == scale_) return;
    prepared_for_.reset();
    const auto A = operator_sum(shift, {{scale * jacobian_factor_, L_}}, L_->row_partition());
    ++num_setups_;
    M_->setup(LinearSystem(A, scratch_, scratch_));
    prepared_for_ = A;
    shift_ = shift;
    scale_ = scale;
  });
}

void ShiftedPreconditioner::apply(const Vector& r, const Vector& z) {
  if (prepared_for_ == nullptr)
    throw Unsupported(
        "the preconditioner was applied before it was set up; give the integrator both functions, "
        "psetup and psolve");
  ++num_solves_;
  M_->apply(r, z);
}

int ShiftedPreconditioner::solve(N_Vector r, N_Vector z) noexcept {
  return guarded(reason_, [&] {
    apply(as_vector(r, scratch_.partition()), as_vector(z, scratch_.partition()));
  });
}

int ShiftedPreconditioner::solve_in_place(N_Vector v) noexcept {
  return guarded(reason_, [&] {
    const Vector z = as_vector(v, scratch_.partition());
    copy(z, scratch_);
    apply(scratch_, z);
  });
}

}  // namespace libsolve::sun

#pragma once

#include <libsolve/adapters/petsc.hpp>
#include <libsolve/adapters/petsc/detail/matrix.hpp>

namespace libsolve::petsc::detail {

class PetscKsp final : public Solver {
 public:
  explicit PetscKsp(const KspSettings& settings);
  ~PetscKsp() override;

  void setup(const LinearSystem& system) override;
  void setup_preconditioner(const LinearSystem& system) override;
  InnerOutcome solve(const InnerTask& task, SolveWatch& watch) override;
  void apply(const Vector& r, const Vector& z) override;
  Counts take_counts() override;
  double memory_bytes() const override { return std::max(all_bytes_, pc_bytes_); }
  double preconditioner_memory_bytes() const override { return pc_bytes_; }
  std::vector<Measure> metrics() const override;
  std::vector<std::string> notes() const override { return notes_; }

 private:
  static PetscErrorCode test_convergence(KSP ksp, PetscInt k, PetscReal norm,
                                         KSPConvergedReason* reason, void* context);
  PetscErrorCode decide(PetscInt k, double norm, KSPConvergedReason* reason);
  void create_operators(const LinearSystem& system);
  void create_vectors(const LinearSystem& system);
  void require_factors() const;
  void note_type(PC pc);
  void refuse_factors_over_ranks(const LinearOperator& A) const;
  void clear();
  std::string doing(const char* what) const;

  KspSettings settings_;
  Communicator ranks_;  ///< the operator's
  std::unique_ptr<OptionsPrefix> options_;
  AijMatrix aij_;  ///< for the preconditioner
  ShellMatrix shell_;
  KSP ksp_ = nullptr;
  PC pc_ = nullptr;  ///< the KSP's, or alone
  Vec b_ = nullptr;
  Vec x_ = nullptr;
  HostNumbers host_b_, host_x_;
  std::optional<NullSpace> null_space_;
  bool true_norm_ = true;  ///< the KSP measures b - A x
  std::vector<std::string> notes_;
  double bytes_before_ = 0.0, pc_bytes_ = 0.0, all_bytes_ = 0.0;
  double preconditioner_applications_ = 0.0;
  // Of the solve at work.
  const InnerTask* task_ = nullptr;
  SolveWatch* watch_ = nullptr;
  double first_norm_ = 0.0, last_norm_ = 0.0;
};

}  // namespace libsolve::petsc::detail

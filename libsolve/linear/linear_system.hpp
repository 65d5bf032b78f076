#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/core/linear_operator.hpp>
#include <libsolve/linear/null_space.hpp>
#include <memory>
#include <optional>
#include <string>

namespace libsolve {

/// A x = b: the operator, the right-hand side, and x, which holds the initial guess and then the
/// solution. A may be rectangular (least squares: minimise ||b - A x||).
class LIBSOLVE_EXPORT LinearSystem final : public Problem {
 public:
  static constexpr std::string_view class_name = "linear";

  LinearSystem(std::shared_ptr<const LinearOperator> A, Vector b, Vector x);
  ~LinearSystem() override;

  const LinearOperator& A() const noexcept { return *A_; }
  const std::shared_ptr<const LinearOperator>& shared_A() const noexcept { return A_; }
  const Vector& b() const noexcept { return b_; }
  const Vector& x() const noexcept { return x_; }

  /// Null space of A, where it is singular; b must lie in the range (project_out does it).
  std::optional<NullSpace> null_space;
  /// The grid the unknowns live on, where there is one.
  std::optional<Grid> grid;
  /// The cells of it that this rank has, where it is cut into boxes.
  std::optional<Box> box;
  /// Known solution, for errors in tests and results.
  std::optional<Vector> exact_solution;
  std::string text = "linear system";     ///< what description() says
  std::string solution_units;
  std::vector<Field> extra_data;          ///< coefficient, mask, ... stored beside the solution

  std::string_view problem_class() const override { return class_name; }
  std::string description() const override { return text; }
  std::vector<Field> solution() const override;
  std::vector<Field> data() const override;
  /// "relative_residual" (||b - A x|| / ||b||; the norm itself where b = 0), "residual_norm"; for rectangular A "normal_residual" ||A^T r|| too, and "error_norm" with a known solution.
  std::vector<Measure> verify() const override;
  GlobalIndex num_unknowns() const override { return A_->num_columns(); }

 private:
  std::shared_ptr<const LinearOperator> A_;
  Vector b_;
  Vector x_;
};

}  // namespace libsolve

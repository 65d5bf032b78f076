#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_system.hpp>

namespace libsolve {

LinearSystem::LinearSystem(std::shared_ptr<const LinearOperator> A, Vector b, Vector x)
    : A_(std::move(A)), b_(std::move(b)), x_(std::move(x)) {
  if (!(b_.partition() == A_->row_partition()) || !(x_.partition() == A_->column_partition()))
    throw ShapeError("a linear system with " + A_->description() + " needs b of " +
                     std::to_string(A_->num_rows()) + " rows and x of " +
                     std::to_string(A_->num_columns()) + ", got " +
                     std::to_string(b_.global_size()) + " and " + std::to_string(x_.global_size()));
}

LinearSystem::~LinearSystem() = default;

std::vector<Field> LinearSystem::solution() const {
  return {{.name = "x", .values = x_, .shape = {}, .units = solution_units,
           .description = "solution of A x = b", .grid = grid, .box = box}};
}

std::vector<Field> LinearSystem::data() const {
  std::vector<Field> fields = {{.name = "b", .values = b_, .shape = {}, .units = {},
                                .description = "right-hand side of A x = b",
                                .grid = A_->num_rows() == A_->num_columns() ? grid : std::nullopt,
                                .box = box}};
  fields.insert(fields.end(), extra_data.begin(), extra_data.end());
  return fields;
}

std::vector<Measure> LinearSystem::verify() const {
  const Vector r = b_.like("linear_system::residual");
  const double norm = std::sqrt(A_->residual(b_, x_, r));
  const double b_norm = norm2(b_);
  std::vector<Measure> measures = {{"relative_residual", b_norm > 0.0 ? norm / b_norm : norm, ""},
                                   {"residual_norm", norm, ""}};
  if (num_unknowns() != A_->num_rows()) {
    const Vector g = x_.like("linear_system::normal_residual");
    A_->apply_adjoint(r, g);
    measures.push_back({"normal_residual", norm2(g), ""});
  }
  if (exact_solution) {
    const Vector e = x_.like("linear_system::error");
    linear_combination(1.0, x_, -1.0, *exact_solution, e);
    measures.push_back({"error_norm_max", norm_max(e), solution_units});
    measures.push_back(
        {"error_norm_rms", norm2(e) / std::sqrt(static_cast<double>(num_unknowns())), solution_units});
  }
  return measures;
}

}  // namespace libsolve

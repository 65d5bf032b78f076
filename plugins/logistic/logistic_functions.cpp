#include "logistic_functions.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>

#include "passes.hpp"

namespace logistic {

namespace {

using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;

VectorView bare(const std::string& label, Index n) {
  return bare_array<double>(label, static_cast<std::size_t>(n));
}

VectorView to_view(const std::string& label, const std::vector<double>& values) {
  const VectorView view = bare(label, static_cast<Index>(values.size()));
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

// Constraint i < num_linear is row i of A, the next one the sphere.

struct Difference {
  const double* a;
  const double* b;
  KOKKOS_FUNCTION void operator()(Index i, int& count) const { count += a[i] == b[i] ? 0 : 1; }
};

/// c = A x - b, |x|^2 - 1.
struct Constraints {
  Index n, num_linear;
  const double *A, *b, *x;
  double* c;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const bool is_linear = i < num_linear;
    const double* const row = is_linear ? A + GlobalIndex{i} * n : x;
    double sum = is_linear ? -b[i] : -1.0;
    for (Index j = 0; j < n; ++j) sum += row[j] * x[j];
    c[i] = sum;
  }
};

struct JacobianEntries {
  Index n, num_linear;
  const double *A, *x;
  double* values;
  KOKKOS_FUNCTION void operator()(Index k) const {
    values[k] = k < n * num_linear ? A[k] : 2.0 * x[k - n * num_linear];
  }
};

struct JacobianProduct {
  Index n, num_linear;
  const double *A, *x, *v;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const bool is_linear = i < num_linear;
    const double* const row = is_linear ? A + GlobalIndex{i} * n : x;
    double sum = 0.0;
    for (Index j = 0; j < n; ++j) sum += row[j] * v[j];
    y[i] = is_linear ? sum : 2.0 * sum;
  }
};

struct JacobianAdjoint {
  Index n, num_linear;
  bool has_sphere;
  const double *A, *x, *w;
  double* y;
  KOKKOS_FUNCTION void operator()(Index j) const {
    double sum = has_sphere ? 2.0 * w[num_linear] * x[j] : 0.0;
    for (Index i = 0; i < num_linear; ++i) sum += A[GlobalIndex{i} * n + j] * w[i];
    y[j] = sum;
  }
};

/// y = alpha y + beta x.
struct Combine {
  double alpha, beta;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index j) const { y[j] = alpha * y[j] + beta * x[j]; }
};

/// values = sigma values + shift on the diagonal of a packed lower triangle.
struct ScaleAndShift {
  double sigma, shift;
  double* values;
  KOKKOS_FUNCTION void operator()(Index i) const {
    double* const row = values + GlobalIndex{i} * (i + 1) / 2;
    for (Index j = 0; j <= i; ++j) row[j] *= sigma;
    row[i] += shift;
  }
};

}  // namespace

LogisticFunctions::LogisticFunctions(std::shared_ptr<const LogisticProgram> program, Index count,
                                     bool by_columns)
    : program_(std::move(program)),
      n_(program_->data.rows.num_columns),
      count_(count),
      num_linear_(static_cast<Index>(program_->b.size())),
      by_columns_(by_columns) {
  if (count < 1 || count > program_->data.rows.num_rows)
    throw ShapeError("a mean over " + std::to_string(count) + " of " +
                     std::to_string(program_->data.rows.num_rows) + " samples was asked for");
  A_ = to_view("logistic::A", program_->A);
  b_ = to_view("logistic::b", program_->b);
  x_ = bare("logistic::x", n_);
  gradient_ = bare("logistic::gradient", n_);
  weights_ = bare("logistic::weights", count_);
  if (!runs_on_host<ExecSpace> || by_columns_) work_ = bare("logistic::work", count_);
  for (Index i = 0; i < num_constraints(); ++i)
    for (Index j = 0; j < n_; ++j) {
      jacobian_.rows.push_back(i);
      jacobian_.columns.push_back(j);
    }
  if (n_ > largest_dense) return;
  for (Index i = 0; i < n_; ++i)
    for (Index j = 0; j <= i; ++j) {
      hessian_.rows.push_back(i);
      hessian_.columns.push_back(j);
    }
}

const SparsePattern& LogisticFunctions::jacobian_pattern() const {
  return has_entries() ? jacobian_ : ProgramFunctions::jacobian_pattern();
}
const SparsePattern& LogisticFunctions::hessian_pattern() const {
  return has_entries() ? hessian_ : ProgramFunctions::hessian_pattern();
}

SampleRows LogisticFunctions::samples() const {
  SampleRows rows = program_->data.rows;
  rows.num_rows = count_;
  rows.row_pointers = Kokkos::subview(
      rows.row_pointers, std::make_pair(std::size_t{0}, static_cast<std::size_t>(count_) + 1));
  return rows;
}

ConstVectorView LogisticFunctions::weights(const ConstVectorView& x) {
  evaluate(x);
  return weights_;
}

std::shared_ptr<ProgramFunctions> LogisticFunctions::over_first(Index count) const {
  return std::make_shared<LogisticFunctions>(program_, count, by_columns_);
}

void LogisticFunctions::evaluate(const ConstVectorView& x) {
  if (is_evaluated_) {
    int changed = 0;
    Kokkos::parallel_reduce("logistic::compare", Policy(0, n_), Difference{x.data(), x_.data()},
                            changed);
    if (changed == 0) return;
  }
  objective_ = loss_pass(program_->data, count_, x, gradient_, weights_, by_columns_);
  Kokkos::deep_copy(x_, x);
  is_evaluated_ = true;
}

double LogisticFunctions::do_objective(const ConstVectorView& x) {
  evaluate(x);
  const double r = program_->regularization;
  if (r == 0.0) return objective_;
  const Vector v(VectorView(const_cast<double*>(x.data()), x.extent(0)), Partition(n_));
  const double norm = norm2(v);
  return objective_ + 0.5 * r * norm * norm;
}

void LogisticFunctions::do_gradient(const ConstVectorView& x, const VectorView& g) {
  evaluate(x);
  Kokkos::deep_copy(g, gradient_);
  if (program_->regularization != 0.0)
    Kokkos::parallel_for("logistic::gradient", Policy(0, n_),
                         Combine{1.0, program_->regularization, x.data(), g.data()});
  Kokkos::fence("logistic::gradient");
}

void LogisticFunctions::do_constraints(const ConstVectorView& x, const VectorView& c) {
  Kokkos::parallel_for("logistic::constraints", Policy(0, num_constraints()),
                       Constraints{n_, num_linear_, A_.data(), b_.data(), x.data(), c.data()});
  Kokkos::fence("logistic::constraints");
}

void LogisticFunctions::do_jacobian(const ConstVectorView& x, const VectorView& values) {
  Kokkos::parallel_for("logistic::jacobian", Policy(0, static_cast<Index>(values.extent(0))),
                       JacobianEntries{n_, num_linear_, A_.data(), x.data(), values.data()});
  Kokkos::fence("logistic::jacobian");
}

void LogisticFunctions::do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                                          const VectorView& y) {
  Kokkos::parallel_for("logistic::jacobian_product", Policy(0, num_constraints()),
                       JacobianProduct{n_, num_linear_, A_.data(), x.data(), v.data(), y.data()});
  Kokkos::fence("logistic::jacobian_product");
}

void LogisticFunctions::do_apply_jacobian_adjoint(const ConstVectorView& x,
                                                  const ConstVectorView& w, const VectorView& y) {
  Kokkos::parallel_for("logistic::jacobian_adjoint", Policy(0, n_),
                       JacobianAdjoint{n_, num_linear_, program_->has_sphere, A_.data(), x.data(),
                                       w.data(), y.data()});
  Kokkos::fence("logistic::jacobian_adjoint");
}

/// What the Lagrangian's Hessian has beside sigma Z^T D Z, times the identity.
double LogisticFunctions::shift(double sigma, const ConstVectorView& lambda) const {
  double shift = sigma * program_->regularization;
  if (!program_->has_sphere) return shift;
  double of_sphere = 0.0;
  Kokkos::deep_copy(of_sphere, Kokkos::subview(lambda, static_cast<std::size_t>(num_linear_)));
  return shift + 2.0 * of_sphere;
}

void LogisticFunctions::do_hessian(const ConstVectorView& x, double sigma,
                                   const ConstVectorView& lambda, const VectorView& values) {
  evaluate(x);
  hessian_pass(program_->data, count_, weights_, values, by_columns_);
  Kokkos::parallel_for("logistic::shift", Policy(0, n_),
                       ScaleAndShift{sigma, shift(sigma, lambda), values.data()});
  Kokkos::fence("logistic::shift");
}

void LogisticFunctions::do_apply_hessian(const ConstVectorView& x, double sigma,
                                         const ConstVectorView& lambda, const ConstVectorView& v,
                                         const VectorView& y) {
  evaluate(x);
  product_pass(program_->data, count_, weights_, v, y, work_, by_columns_);
  Kokkos::parallel_for("logistic::combine", Policy(0, n_),
                       Combine{sigma, shift(sigma, lambda), v.data(), y.data()});
  Kokkos::fence("logistic::combine");
}

}  // namespace logistic

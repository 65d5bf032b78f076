#include "direct_solver.hpp"

#include <chrono>
#include <libsolve/adapters/narrow.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/matrix_entries.hpp>

namespace eigen {

namespace {
double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
}  // namespace

std::shared_ptr<const CsrMatrix> DirectSolver::entries(const LinearSystem& system) {
  return assembled(system.shared_A(), "method '" + name_ + "'", notes_);
}

std::shared_ptr<const CsrMatrix> DenseSolver::entries(const LinearSystem& system) {
  const LinearOperator& A = system.A();
  if (A.num_rows() > max_rows_)
    throw Unsupported("method '" + name() + "' takes up to " + std::to_string(max_rows_) +
                      " rows (max_rows), and " + A.description() + " has " +
                      std::to_string(A.num_rows()) + "; use eigen-ldlt, eigen-lu or mumps");
  try {
    return DirectSolver::entries(system);
  } catch (const Unsupported&) {  // then by products with unit vectors
  }
  const auto n = static_cast<Index>(A.num_rows());
  const Vector e = system.x().like("eigen::unit"), column = system.b().like("eigen::column");
  std::vector<MatrixEntry> all;
  const auto unit = Kokkos::create_mirror_view(e.view());
  for (Index j = 0; j < n; ++j) {
    if (j > 0) unit(j - 1) = 0.0;
    unit(j) = 1.0;
    Kokkos::deep_copy(e.view(), unit);
    A.apply(e, column);
    const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), column.view());
    for (Index i = 0; i < n; ++i)
      if (values(i) != 0.0) all.push_back({i, j, values(i)});
  }
  return make_csr_matrix(n, n, all);
}

void DirectSolver::setup(const LinearSystem& system) {
  const LinearOperator& A = system.A();
  if (A.num_rows() != A.num_columns())
    throw Unsupported("method '" + name_ + "' needs a square operator, got " + A.description() +
                      " (" + std::to_string(A.num_rows()) + " x " +
                      std::to_string(A.num_columns()) + "); use lsmr for least squares");
  if (A.row_partition().communicator().size() > 1)
    throw Unsupported("method '" + name_ + "' works on one rank, got " +
                      std::to_string(A.row_partition().communicator().size()) +
                      "; use flexible-cg with 'multigrid' or another iteration");
  if (needs_symmetric() && !A.is_symmetric())
    throw NumericalError("method '" + name_ + "' needs a symmetric operator, and " +
                         A.description() + " is not symmetric; use eigen-lu");
  prepared_for_.run(system, [&] { factor(system); });
}

void DirectSolver::factor(const LinearSystem& system) {
  notes_.clear();
  const auto matrix = entries(system);
  const HostCsr arrays = host_csr(*matrix);
  (void)narrowed<int>(matrix->num_nonzeros(), "entries", "Eigen matrix");
  const auto nonzeros = static_cast<size_t>(matrix->num_nonzeros());
  std::span<const double> values(arrays.values.data(), nonzeros);
  std::vector<double> pinned;
  if (system.null_space) {
    pinned.assign(values.begin(), values.end());
    for (const Index k : one_row_of_each_component(*system.null_space, system.b().partition()))
      for (GlobalIndex e = arrays.begin(k); e < arrays.end(k); ++e)
        if (arrays.columns(e) == k) pinned[static_cast<size_t>(e)] *= 2.0;
    values = pinned;
  }
  const std::string problem = factors_->factor(
      {.num_rows = arrays.num_rows,
       .row_pointers = {arrays.row_pointers.data(), static_cast<size_t>(arrays.num_rows) + 1},
       .columns = {arrays.columns.data(), nonzeros},
       .values = values,
       .is_symmetric = system.A().is_symmetric()});
  if (!problem.empty()) throw NumericalError("method '" + name_ + "': " + problem);
  notes_.push_back("Eigen: " + factors_->kind() + ", one thread");
  frame_.allocate(system);
  z_ = system.x().like("eigen::z");
}

Report DirectSolver::solve(LinearSystem& system, Monitor& monitor) {
  if (auto refused = prepared_for_.ensure(system, monitor, [&] { setup(system); })) return *refused;
  const double setup_seconds = prepared_for_.take_seconds();
  monitor.begin_phase("solve");
  const auto start = std::chrono::steady_clock::now();
  double steps = 0.0;
  Report report = frame_.solve(system, options_.relative_tolerance, options_.absolute_tolerance,
                               std::int64_t{options_.max_refinements} + 1, monitor,
                               [&](const InnerTask& task, SolveWatch&) -> InnerOutcome {
                                 // x += F r
                                 const auto r = Kokkos::create_mirror_view_and_copy(
                                     Kokkos::HostSpace(), task.r.view());
                                 const auto z = Kokkos::create_mirror_view(z_.view());
                                 factors_->solve(r.data(), z.data());
                                 Kokkos::deep_copy(z_.view(), z);
                                 axpy(1.0, z_, task.x);
                                 steps += 1.0;
                                 return {.status = Status::converged, .iterations = 1};
                               });
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds_since(start), "s"}};
  report.counts.push_back({"preconditioner_applications", steps, ""});
  const double factor_bytes = (name_ == "eigen-dense" ? 8.0 : 12.0) * factors_->num_entries();
  report.metrics = {
      {"memory_bytes",
       frame_.work_bytes() + 8.0 * static_cast<double>(z_.local_size()) + factor_bytes, "B"},
      {"preconditioner_memory_bytes", factor_bytes, "B"},
      {"factor_entries", factors_->num_entries(), ""}};
  report.notes.insert(report.notes.end(), notes_.begin(), notes_.end());
  return report;
}

}  // namespace eigen

#include <algorithm>
#include <cmath>
#include <libsolve/adapters/petsc/detail/tao_program.hpp>

namespace libsolve::petsc::detail {

// ---- matrices -----------------------------------------------------------------------------------

TaoMatrix::~TaoMatrix() {
  if (mat_ != nullptr && is_up()) (void)MatDestroy(&mat_);
}

void TaoMatrix::create(PetscInt num_rows, PetscInt num_columns, std::vector<Entry> entries) {
  std::ranges::stable_sort(entries, [](const Entry& a, const Entry& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  entries_ = std::move(entries);
  row_pointers_.assign(static_cast<std::size_t>(num_rows) + 1, 0);
  for (std::size_t k = 0; k < entries_.size(); ++k) {
    const Entry& e = entries_[k];
    if (k == 0 || entries_[k - 1].row != e.row || entries_[k - 1].column != e.column) {
      columns_.push_back(e.column);
      ++row_pointers_[static_cast<std::size_t>(e.row) + 1];
    }
    slots_.push_back(columns_.size() - 1);
  }
  for (std::size_t i = 1; i < row_pointers_.size(); ++i) row_pointers_[i] += row_pointers_[i - 1];
  const ErrorScope scope("making a matrix for TAO");
  const std::vector<double> zeros(columns_.size(), 0.0);
  scope.check(MatCreateSeqAIJ(PETSC_COMM_SELF, num_rows, num_columns, 0, nullptr, &mat_));
  scope.check(
      MatSeqAIJSetPreallocationCSR(mat_, row_pointers_.data(), columns_.data(), zeros.data()));
}

PetscErrorCode TaoMatrix::fill(const std::vector<double>& values) {
  double* out = nullptr;
  PetscErrorCode code = MatSeqAIJGetArray(mat_, &out);
  if (code != PETSC_SUCCESS) return code;
  std::fill(out, out + columns_.size(), 0.0);
  for (std::size_t k = 0; k < entries_.size(); ++k)
    out[slots_[k]] += entries_[k].sign * values[entries_[k].source];
  code = MatSeqAIJRestoreArray(mat_, &out);
  if (code != PETSC_SUCCESS) return code;
  code = MatAssemblyBegin(mat_, MAT_FINAL_ASSEMBLY);
  if (code != PETSC_SUCCESS) return code;
  return MatAssemblyEnd(mat_, MAT_FINAL_ASSEMBLY);
}

// ---- the program --------------------------------------------------------------------------------

TaoProgram::TaoProgram(const NonlinearProgram& problem, bool bounds_as_rows)
    : problem_(problem),
      at_(problem.functions()),
      n_(static_cast<std::size_t>(problem.num_variables())),
      m_(static_cast<std::size_t>(problem.num_constraints())) {
  add_rows(problem.constraint_bounds(), false);
  const Bounds& b = problem.variable_bounds();
  for (std::size_t j = 0; j < n_; ++j)
    has_bounds_ = has_bounds_ || b.lower[j] > -INFINITY || b.upper[j] < INFINITY;
  if (bounds_as_rows && has_bounds_) {
    add_rows(b, true);
    has_bounds_ = false;
  }
  c_.resize(m_);
}

void TaoProgram::add_rows(const Bounds& bounds, bool is_variable) {
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double lower = bounds.lower[i], upper = bounds.upper[i];
    if (bounds.is_equality(i)) {
      equal_.push_back({is_variable, i, 1.0, -lower});
      continue;
    }
    if (lower > -INFINITY) unequal_.push_back({is_variable, i, 1.0, -lower});
    if (upper < INFINITY) unequal_.push_back({is_variable, i, -1.0, upper});
  }
}

void TaoProgram::look_at(std::span<const double> values) {
  for (const double v : values)
    if (!std::isfinite(v)) saw_non_finite_ = true;
}

double TaoProgram::objective(const double* x) {
  const double f = at_.objective({x, n_});
  look_at({&f, 1});
  return f;
}

void TaoProgram::gradient(const double* x, double* g) {
  at_.gradient({x, n_}, {g, n_});
  look_at({g, n_});
}

void TaoProgram::conditions(const std::vector<TaoRow>& rows, const double* x, double* values) {
  if (m_ > 0 && (c_x_.size() != n_ || !std::equal(x, x + n_, c_x_.begin()))) {
    at_.constraints({x, n_}, c_);
    c_x_.assign(x, x + n_);
    look_at(c_);
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const TaoRow& row = rows[r];
    values[r] = row.sign * (row.is_variable ? x[row.index] : c_[row.index]) + row.shift;
  }
}

const std::vector<double>& TaoProgram::jacobian(const double* x) {
  if (jacobian_x_.size() == n_ && std::equal(x, x + n_, jacobian_x_.begin())) return jacobian_;
  const std::size_t size = m_ > 0 ? problem_.functions().jacobian_pattern().size() : 0;
  jacobian_.resize(size + 1);
  if (size > 0) at_.jacobian({x, n_}, {jacobian_.data(), size});
  jacobian_.back() = 1.0;
  jacobian_x_.assign(x, x + n_);
  look_at(jacobian_);
  return jacobian_;
}

const std::vector<double>& TaoProgram::hessian(const double* x, const std::vector<double>& lambda) {
  hessian_.resize(problem_.functions().hessian_pattern().size());
  at_.hessian({x, n_}, 1.0, lambda, hessian_);
  look_at(hessian_);
  return hessian_;
}

std::vector<TaoMatrix::Entry> TaoProgram::jacobian_entries(const std::vector<TaoRow>& rows) const {
  std::vector<std::vector<PetscInt>> rows_of(m_);
  std::vector<TaoMatrix::Entry> entries;
  const SparsePattern none;
  const SparsePattern& pattern = m_ > 0 ? problem_.functions().jacobian_pattern() : none;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto row = static_cast<PetscInt>(r);
    if (!rows[r].is_variable)
      rows_of[rows[r].index].push_back(row);
    else
      entries.push_back({row, static_cast<PetscInt>(rows[r].index), pattern.size(), rows[r].sign});
  }
  for (std::size_t k = 0; k < pattern.size(); ++k)
    for (const PetscInt row : rows_of[static_cast<std::size_t>(pattern.rows[k])])
      entries.push_back({row, static_cast<PetscInt>(pattern.columns[k]), k,
                         rows[static_cast<std::size_t>(row)].sign});
  return entries;
}

std::vector<TaoMatrix::Entry> TaoProgram::hessian_entries() const {
  const SparsePattern& pattern = problem_.functions().hessian_pattern();
  std::vector<TaoMatrix::Entry> entries;
  for (std::size_t k = 0; k < pattern.size(); ++k) {
    const auto i = static_cast<PetscInt>(pattern.rows[k]);
    const auto j = static_cast<PetscInt>(pattern.columns[k]);
    entries.push_back({i, j, k, 1.0});
    if (i != j) entries.push_back({j, i, k, 1.0});
  }
  for (std::size_t j = 0; j < n_; ++j)  // PDIPM adds its shift to places that are there
    entries.push_back({static_cast<PetscInt>(j), static_cast<PetscInt>(j), 0, 0.0});
  return entries;
}

void TaoProgram::add_multipliers(const std::vector<TaoRow>& rows, const double* mu, double factor,
                                 std::vector<double>& lambda, std::vector<double>& z) const {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::vector<double>& out = rows[r].is_variable ? z : lambda;
    out[rows[r].index] += factor * rows[r].sign * mu[r];
  }
}

bool TaoProgram::is_at_lower(double x, std::size_t j) const {
  return x - problem_.variable_bounds().lower[j] <= 1e-8 * std::max(1.0, std::abs(x));
}
bool TaoProgram::is_at_upper(double x, std::size_t j) const {
  return problem_.variable_bounds().upper[j] - x <= 1e-8 * std::max(1.0, std::abs(x));
}

std::vector<double> TaoProgram::least_squares_multipliers(const std::vector<double>& x) {
  std::vector<TaoRow> rows = equal_;
  std::vector<double> values(unequal_.size());
  conditions(unequal_, x.data(), values.data());
  for (std::size_t r = 0; r < unequal_.size(); ++r)
    if (values[r] <= 1e-5 * std::max(1.0, std::abs(unequal_[r].shift))) rows.push_back(unequal_[r]);
  std::vector<double> g(n_), mu(rows.size());
  at_.gradient(x, g);
  std::vector<TaoMatrix::Entry> entries = jacobian_entries(rows);
  for (std::size_t j = 0; j < n_; ++j)
    if (is_at_lower(x[j], j) || is_at_upper(x[j], j)) g[j] = 0.0;
  for (TaoMatrix::Entry& e : entries) {
    std::swap(e.row, e.column);
    const auto j = static_cast<std::size_t>(e.row);
    if (is_at_lower(x[j], j) || is_at_upper(x[j], j)) e.sign = 0.0;
  }
  TaoMatrix Jt;
  Jt.create(static_cast<PetscInt>(n_), static_cast<PetscInt>(rows.size()), std::move(entries));
  const ErrorScope scope("least squares for multipliers");
  scope.check(Jt.fill(jacobian(x.data())));
  Owned<Vec, VecDestroy> right, left;
  Owned<KSP, KSPDestroy> ksp;
  scope.check(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, static_cast<PetscInt>(n_), g.data(),
                                    &right.object));
  scope.check(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, static_cast<PetscInt>(rows.size()),
                                    mu.data(), &left.object));
  scope.check(VecScale(right.object, -1.0));
  scope.check(KSPCreate(PETSC_COMM_SELF, &ksp.object));
  scope.check(KSPSetType(ksp.object, KSPLSQR));
  scope.check(KSPSetOperators(ksp.object, Jt.mat(), Jt.mat()));
  PC pc = nullptr;
  scope.check(KSPGetPC(ksp.object, &pc));
  scope.check(PCSetType(pc, PCNONE));
  scope.check(KSPSetTolerances(ksp.object, 1e-12, 1e-14, 1e10,
                               static_cast<PetscInt>(10 * rows.size() + 100)));
  scope.check(KSPSolve(ksp.object, right.object, left.object));
  for (std::size_t r = equal_.size(); r < rows.size(); ++r) mu[r] = std::min(mu[r], 0.0);
  std::vector<double> lambda(m_), none(n_);
  add_multipliers(rows, mu.data(), 1.0, lambda, none);
  return lambda;
}

std::vector<double> TaoProgram::bound_multipliers(const std::vector<double>& x,
                                                  const std::vector<double>& lambda) const {
  std::vector<double> g(n_), z(n_);
  at_.gradient(x, g);
  if (m_ > 0) at_.apply_jacobian_adjoint(x, lambda, z);
  for (std::size_t j = 0; j < n_; ++j) {
    const double wanted = -(g[j] + z[j]);
    const double least = is_at_lower(x[j], j) ? -INFINITY : 0.0;
    const double most = is_at_upper(x[j], j) ? INFINITY : 0.0;
    z[j] = std::clamp(wanted, least, most);
  }
  return z;
}

}  // namespace libsolve::petsc::detail

#include <cmath>
#include <libsolve/bilevel/affine_projection.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <vector>

namespace libsolve {

namespace {

using Matrix = Kokkos::View<double**, Kokkos::LayoutRight, MemSpace>;

/// What is left of a row, relative to its length, when it is called dependent.
constexpr double dependent_below = 1e-12;

struct Dot {
  const double* row;
  const double* v;
  KOKKOS_FUNCTION void operator()(Index j, double& sum) const { sum += row[j] * v[j]; }
};
struct Subtract {
  const double* row;
  double* v;
  double factor;
  KOKKOS_FUNCTION void operator()(Index j) const { v[j] -= factor * row[j]; }
};

class AffineProjection final : public Projection {
 public:
  AffineProjection(Index n, const std::vector<std::vector<double>>& rows, std::vector<double> right)
      : n_(n),
        Q_("bilevel::affine_rows", rows.size(), static_cast<std::size_t>(n)),
        right_(std::move(right)) {
    const auto host = Kokkos::create_mirror_view(Q_);
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t j = 0; j < rows[i].size(); ++j) host(i, j) = rows[i][j];
    Kokkos::deep_copy(Q_, host);
  }

  Index size() const override { return n_; }
  std::string description() const override {
    return std::to_string(right_.size()) + " linear equations";
  }

  void project(const VectorView& v) override {
    // One row after the other, as modified Gram-Schmidt does: stable, and orthonormal rows do not
    // disturb each other.
    const auto& space = default_space();
    for (std::size_t i = 0; i < right_.size(); ++i) {
      const double* const row = Q_.data() + i * static_cast<std::size_t>(n_);
      const double off =
          reduce_rows<Sums<1>>(space, "bilevel::affine_dot", n_, Dot{row, v.data()}).value[0] -
          right_[i];
      for_rows(space, "bilevel::affine_shift", n_, Subtract{row, v.data(), off});
      space.fence("libsolve::affine_projection");
    }
  }

 private:
  Index n_;
  Matrix Q_;
  std::vector<double> right_;
};

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

}  // namespace

std::shared_ptr<Projection> affine_projection(Index n, const SparsePattern& rows,
                                              std::span<const double> values,
                                              std::span<const double> b) {
  std::vector<std::vector<double>> A(b.size(), std::vector<double>(static_cast<std::size_t>(n)));
  for (std::size_t e = 0; e < rows.size(); ++e) {
    if (rows.rows[e] < 0 || static_cast<std::size_t>(rows.rows[e]) >= b.size() ||
        rows.columns[e] < 0 || rows.columns[e] >= n)
      throw ShapeError("an entry at row " + std::to_string(rows.rows[e]) + ", column " +
                       std::to_string(rows.columns[e]) + " of " + std::to_string(b.size()) + " x " +
                       std::to_string(n));
    A[static_cast<std::size_t>(rows.rows[e])][static_cast<std::size_t>(rows.columns[e])] +=
        values[e];
  }
  std::vector<std::vector<double>> Q;
  std::vector<double> right;
  for (std::size_t i = 0; i < A.size(); ++i) {
    std::vector<double>& row = A[i];
    const double length = std::sqrt(dot(row, row));
    double target = b[i];
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t k = 0; k < Q.size(); ++k) {
        const double part = dot(Q[k], row);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] -= part * Q[k][j];
        target -= part * right[k];
      }
    const double left = std::sqrt(dot(row, row));
    if (!(left > dependent_below * length)) {
      if (std::abs(target) > 1e-9 * std::max(1.0, std::abs(b[i])))
        throw DataError("the linear equations contradict each other: equation " +
                        std::to_string(i + 1) + " depends on those before it and is off by " +
                        std::to_string(target));
      continue;
    }
    for (double& e : row) e /= left;
    Q.push_back(row);
    right.push_back(target / left);
  }
  return std::make_shared<AffineProjection>(n, Q, right);
}

}  // namespace libsolve

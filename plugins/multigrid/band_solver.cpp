#include "band_solver.hpp"

#include <algorithm>
#include <cstdlib>
#include <libsolve/core/types.hpp>

#include "cost.hpp"
#include "pc_level.hpp"

namespace multigrid {
namespace {

constexpr double smallest_pivot = 1e-10;

template <class Real>
class BandSolver final : public CoarseSolver<Real> {
 public:
  explicit BandSolver(const BandMatrix& matrix);
  Shape shape() const override { return shape_; }
  std::size_t bytes() const override {
    return sizeof(double) * (lower_.size() + 2 * x_.size()) + sizeof(Real) * copy_.size();
  }
  Work work() const override {
    const double entries = double(n_) * width_;
    return {cost::band_setup * entries * width_, cost::band * entries};
  }
  void solve(const ConstView<Real>& rhs, const View<Real>& z) override;

 private:
  double* row(int i) { return lower_.data() + std::size_t(i) * width_; }
  void solve(const Real* b, Real* z);  // b may be z

  Shape shape_;
  int n_ = 0;
  int width_ = 0;              // bandwidth: row i holds L(i, i - width .. i - 1)
  std::vector<double> lower_;  // zero left of column 0
  std::vector<double> inverse_pivot_;
  std::vector<double> x_;                        // width_ zeros, then the unknowns
  Kokkos::View<Real*, Kokkos::HostSpace> copy_;  // of rhs, then of z, where they lie on a device
};

template <class Real>
BandSolver<Real>::BandSolver(const BandMatrix& matrix) : shape_(matrix.shape), n_(matrix.size) {
  for (const auto& e : matrix.entries) width_ = std::max(width_, e.row - e.column);
  lower_.assign(std::size_t(n_) * width_, 0.0);
  std::vector<double> diagonal(n_, 0.0);
  for (const auto& e : matrix.entries) {
    if (e.row == e.column)
      diagonal[e.row] += e.value;
    else if (e.row > e.column)
      row(e.row)[e.column - e.row + width_] += e.value;
  }
  inverse_pivot_.assign(n_, 0.0);
  x_.assign(std::size_t(n_) + width_, 0.0);
  if constexpr (!libsolve::runs_on_host<ExecSpace>)
    copy_ = Kokkos::View<Real*, Kokkos::HostSpace>("multigrid::coarsest", n_);
  // Row by row: w_j = L(i,j) d_j solves sum_k w_k L(j,k) + w_j = A(i,j), j ascending.
  std::vector<double> pivot(n_, 0.0);
  std::vector<double> w(width_, 0.0);
  for (int i = 0; i < n_; ++i) {
    double* li = row(i);
    const int first = std::max(0, width_ - i);
    for (int p = first; p < width_; ++p) {
      const int j = i - width_ + p;
      // columns shared by rows i and j: L(j, .) ends at j, is shifted by i - j = width - p
      const double* lj = row(j) + (width_ - p);
      double s = 0.0;
#pragma omp simd reduction(+ : s)
      for (int q = first; q < p; ++q) s += w[q] * lj[q];
      w[p] = inverse_pivot_[j] == 0.0 ? 0.0 : li[p] - s;
    }
    double d = diagonal[i];
    for (int p = first; p < width_; ++p) {
      li[p] = w[p] * inverse_pivot_[i - width_ + p];
      d -= w[p] * li[p];
    }
    pivot[i] = d;
    inverse_pivot_[i] = d > smallest_pivot * diagonal[i] ? 1.0 / d : 0.0;
  }
}

template <class Real>
void BandSolver<Real>::solve(const ConstView<Real>& rhs, const View<Real>& z) {
  if constexpr (libsolve::runs_on_host<ExecSpace>) {
    solve(rhs.data(), z.data());
  } else {
    Kokkos::deep_copy(copy_, rhs);
    solve(copy_.data(), copy_.data());
    Kokkos::deep_copy(z, copy_);
  }
}

template <class Real>
void BandSolver<Real>::solve(const Real* b, Real* z) {
  double* x = x_.data() + width_;
  for (int i = 0; i < n_; ++i) {
    const double* li = row(i);
    const double* xs = x + i - width_;
    double s = 0.0;
#pragma omp simd reduction(+ : s)
    for (int p = 0; p < width_; ++p) s += li[p] * xs[p];
    x[i] = double(b[i]) - s;
  }
  for (int i = 0; i < n_; ++i) x[i] *= inverse_pivot_[i];
  for (int i = n_ - 1; i > 0; --i) {
    const double* li = row(i);
    double* xs = x + i - width_;
    const double xi = x[i];
#pragma omp simd
    for (int p = 0; p < width_; ++p) xs[p] -= li[p] * xi;
  }
  for (int i = -width_; i < 0; ++i) x[i] = 0.0;
  for (int i = 0; i < n_; ++i) z[i] = Real(x[i]);
}

}  // namespace

template <class Real>
std::unique_ptr<CoarseSolver<Real>> make_band_solver(const BandMatrix& matrix) {
  return std::make_unique<BandSolver<Real>>(matrix);
}

template <class Real>
BandMatrix band_matrix(const LevelOperator<Real>& op_in) {
  const LevelOperator<Real> op = expanded(op_in);
  BandMatrix matrix;
  matrix.shape = op.shape;
  matrix.size = int(op.shape.size());
  const auto wall = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.wall);
  const auto mass = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.mass);
  for (int c = 0; c < matrix.size; ++c)
    matrix.entries.push_back({c, c, double(wall[c]) + (mass.size() > 0 ? double(mass[c]) : 0.0)});
  int stride = 1;
  for (int a = 0; a < 3; ++a) {
    const auto face = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.face[a]);
    const int n = op.shape.n[a];
    for (int c = 0; c < matrix.size; ++c) {
      if (c / stride % n + 1 >= n) continue;
      const double t = face[c];
      if (t == 0.0) continue;
      matrix.entries.push_back({c, c, t});
      matrix.entries.push_back({c + stride, c + stride, t});
      matrix.entries.push_back({c + stride, c, -t});
    }
    stride *= n;
  }
  return matrix;
}

template std::unique_ptr<CoarseSolver<float>> make_band_solver(const BandMatrix&);
template std::unique_ptr<CoarseSolver<double>> make_band_solver(const BandMatrix&);
template BandMatrix band_matrix(const LevelOperator<float>&);
template BandMatrix band_matrix(const LevelOperator<double>&);

}  // namespace multigrid

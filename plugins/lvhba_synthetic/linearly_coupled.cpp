#include "linearly_coupled.hpp"

#include <cmath>
#include <libsolve/core/random.hpp>

namespace lvhba_synthetic {

namespace {

using Numbers = std::vector<double>;

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// C v = 0 for dense C (rows x N), by rows; the functions of both levels have such constraints.
class DenseRows : public HostProgramFunctions {
 public:
  DenseRows(Index rows, Index columns, Numbers entries)
      : rows_(rows), columns_(columns), entries_(std::move(entries)) {
    for (Index i = 0; i < rows_; ++i)
      for (Index j = 0; j < columns_; ++j) {
        if (at(i)[static_cast<std::size_t>(j)] == 0.0) continue;
        pattern_.rows.push_back(i);
        pattern_.columns.push_back(j);
        values_.push_back(at(i)[static_cast<std::size_t>(j)]);
      }
  }
  Index num_variables() const override { return columns_; }
  Index num_constraints() const override { return rows_; }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return pattern_; }
  bool is_linear(Index) const override { return true; }

 protected:
  void host_constraints(In v, Out c) override {
    for (Index i = 0; i < rows_; ++i) c[static_cast<std::size_t>(i)] = dot(at(i), v);
  }
  void host_jacobian(In, Out values) override {
    std::copy(values_.begin(), values_.end(), values.begin());
  }

 private:
  std::span<const double> at(Index i) const {
    const auto n = static_cast<std::size_t>(columns_);
    return std::span(entries_).subspan(static_cast<std::size_t>(i) * n, n);
  }
  Index rows_, columns_;
  Numbers entries_, values_;
  SparsePattern pattern_;
};

/// F = sin(c . x + d . y) + log(|x + y|^2 + 1), B x = 0.
class Upper final : public DenseRows {
 public:
  Upper(Index n, Index rows, Numbers B, Numbers cd)
      : DenseRows(rows, 2 * n, std::move(B)), n_(static_cast<std::size_t>(n)), cd_(std::move(cd)) {
    for (Index i = 0; i < 2 * n; ++i)
      for (Index j = 0; j <= i; ++j) {
        hessian_.rows.push_back(i);
        hessian_.columns.push_back(j);
      }
  }
  const SparsePattern& hessian_pattern() const override { return hessian_; }

 protected:
  double host_objective(In v) override {
    return std::sin(dot(cd_, v)) + std::log(squared_sum(v) + 1.0);
  }
  void host_gradient(In v, Out g) override {
    const double wave = std::cos(dot(cd_, v)), factor = 2.0 / (squared_sum(v) + 1.0);
    for (std::size_t i = 0; i < n_; ++i) {
      const double part = factor * (v[i] + v[n_ + i]);
      g[i] = wave * cd_[i] + part;
      g[n_ + i] = wave * cd_[n_ + i] + part;
    }
  }
  void host_hessian(In v, double sigma, In, Out values) override {
    const double bend = -std::sin(dot(cd_, v)), factor = 2.0 / (squared_sum(v) + 1.0);
    std::size_t e = 0;
    const auto w = [&](std::size_t i) { return v[i % n_] + v[n_ + i % n_]; };
    for (std::size_t i = 0; i < 2 * n_; ++i)
      for (std::size_t j = 0; j <= i; ++j, ++e)
        values[e] = sigma * (bend * cd_[i] * cd_[j] + (i % n_ == j % n_ ? factor : 0.0) -
                             factor * factor * w(i) * w(j));
  }

 private:
  double squared_sum(In v) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < n_; ++i) sum += (v[i] + v[n_ + i]) * (v[i] + v[n_ + i]);
    return sum;
  }
  std::size_t n_;
  Numbers cd_;
  SparsePattern hessian_;
};

/// f = |x - y|^2 / 2, A y + H x = 0.
class Lower final : public DenseRows {
 public:
  Lower(Index n, Index rows, Numbers HA)
      : DenseRows(rows, 2 * n, std::move(HA)), n_(static_cast<std::size_t>(n)) {
    for (Index i = 0; i < n; ++i)
      for (const auto& [row, column] :
           {std::pair(i, i), std::pair(n + i, i), std::pair(n + i, n + i)}) {
        hessian_.rows.push_back(row);
        hessian_.columns.push_back(column);
      }
  }
  const SparsePattern& hessian_pattern() const override { return hessian_; }

 protected:
  double host_objective(In v) override {
    double sum = 0.0;
    for (std::size_t i = 0; i < n_; ++i) sum += (v[i] - v[n_ + i]) * (v[i] - v[n_ + i]);
    return 0.5 * sum;
  }
  void host_gradient(In v, Out g) override {
    for (std::size_t i = 0; i < n_; ++i) {
      g[i] = v[i] - v[n_ + i];
      g[n_ + i] = -g[i];
    }
  }
  void host_hessian(In, double sigma, In, Out values) override {
    for (std::size_t e = 0; e < values.size(); ++e) values[e] = e % 3 == 1 ? -sigma : sigma;
  }

 private:
  std::size_t n_;
  SparsePattern hessian_;
};

Numbers drawn(std::size_t size, std::uint64_t seed, std::string_view purpose) {
  const RandomStream stream(seed, purpose);
  Numbers a(size);
  for (std::size_t i = 0; i < size; ++i) a[i] = stream.normal(i);
  return a;
}

}  // namespace

BilevelParts make_linearly_coupled(Index n, Index rows, std::uint64_t seed) {
  const auto size = static_cast<std::size_t>(n), m = static_cast<std::size_t>(rows);
  Numbers HA = drawn(m * 2 * size, seed, "lower_rows"), B = drawn(m * 2 * size, seed, "upper_rows");
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < size; ++j) B[i * 2 * size + size + j] = 0.0;
  Numbers cd = drawn(2 * size, seed, "directions");
  for (const std::size_t first : {std::size_t{0}, size}) {
    const std::span<double> part = std::span(cd).subspan(first, size);
    const double length = std::sqrt(dot(part, part));
    for (double& entry : part) entry /= length;
  }
  BilevelParts p;
  p.num_upper = p.num_lower = n;
  p.upper = std::make_shared<Upper>(n, rows, std::move(B), std::move(cd));
  p.lower = std::make_shared<Lower>(n, rows, std::move(HA));
  p.lower_is_convex = p.lower_is_quadratic = true;
  p.upper_constraints = p.lower_constraints = {Numbers(m, 0.0), Numbers(m, 0.0)};
  return p;
}

}  // namespace lvhba_synthetic

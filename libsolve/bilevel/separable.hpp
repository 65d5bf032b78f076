#pragma once

#include <cmath>
#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/optimize/dual_number.hpp>
#include <vector>

/// Bilevel programs whose functions are sums over elements, coupled by one linear row,
///   F = sum_e F_e(v_e),  f = sum_e f_e(v_e),  low <= sum_e r . v_e <= high,
/// with v_e the nx upper and ny lower variables of element e and X, Y without bounds. A model M
/// says what an element is, as a small copyable type:
///
///   static constexpr int nx = 1, ny = 2;
///   template <class T> KOKKOS_FUNCTION static T upper(const T* v);   // F_e; v: nx + ny numbers
///   template <class T> KOKKOS_FUNCTION static T lower(const T* v);   // f_e
///   KOKKOS_FUNCTION static void upper_gradient(const double* v, double* g);
///   KOKKOS_FUNCTION static void lower_gradient(const double* v, double* g);
///   KOKKOS_FUNCTION static double row(int a);                        // r_a
///
/// T is double or a dual number (dual_number.hpp). Variable a of element e of n is v[a n + e].
namespace libsolve {

namespace detail::separable {

template <class M>
inline constexpr int width = M::nx + M::ny;

template <class M, bool is_upper, class T>
KOKKOS_FUNCTION T value(const T* v) {
  if constexpr (is_upper)
    return M::upper(v);
  else
    return M::lower(v);
}

template <class M, class T>
KOKKOS_FUNCTION void load(const double* v, Index n, Index e, T (&at)[width<M>]) {
  for (int a = 0; a < width<M>; ++a) at[a] = T(v[a * n + e]);
}

template <class M, bool is_upper>
struct Value {
  const double* v;
  Index n;
  KOKKOS_FUNCTION void operator()(Index e, double& sum) const {
    double at[width<M>];
    load<M>(v, n, e, at);
    sum += value<M, is_upper>(at);
  }
};

template <class M, bool is_upper>
struct Gradient {
  const double* v;
  double* g;
  Index n;
  KOKKOS_FUNCTION void operator()(Index e) const {
    double at[width<M>], slopes[width<M>];
    load<M>(v, n, e, at);
    if constexpr (is_upper)
      M::upper_gradient(at, slopes);
    else
      M::lower_gradient(at, slopes);
    for (int a = 0; a < width<M>; ++a) g[a * n + e] = slopes[a];
  }
};

template <class M>
struct RowSum {
  const double* v;
  Index n;
  KOKKOS_FUNCTION void operator()(Index e, double& sum) const {
    for (int a = 0; a < width<M>; ++a) sum += M::row(a) * v[a * n + e];
  }
};

/// The row, once for each variable, times what `scale` points at (null: 1).
template <class M>
struct Row {
  const double* scale;
  double* out;
  Index n;
  KOKKOS_FUNCTION void operator()(Index e) const {
    const double by = scale == nullptr ? 1.0 : *scale;
    for (int a = 0; a < width<M>; ++a) out[a * n + e] = by * M::row(a);
  }
};

/// Entries (a, b <= a) of each element's Hessian, pair by pair.
template <class M, bool is_upper>
struct Hessian {
  const double* v;
  double* values;
  double sigma;
  Index n;
  KOKKOS_FUNCTION void operator()(Index e) const {
    int pair = 0;
    for (int a = 0; a < width<M>; ++a)
      for (int b = 0; b <= a; ++b, ++pair) {
        SecondDual at[width<M>];
        load<M>(v, n, e, at);
        at[a].value.slope = 1.0;
        at[b].slope.value = 1.0;
        values[pair * n + e] = sigma * value<M, is_upper>(at).slope.slope;
      }
  }
};

template <class M, bool is_upper>
struct HessianProduct {
  const double* v;
  const double* w;
  double* out;
  double sigma;
  Index n;
  KOKKOS_FUNCTION void operator()(Index e) const {
    for (int a = 0; a < width<M>; ++a) {
      SecondDual at[width<M>];
      load<M>(v, n, e, at);
      at[a].value.slope = 1.0;
      for (int b = 0; b < width<M>; ++b) at[b].slope.value = w[b * n + e];
      out[a * n + e] = sigma * value<M, is_upper>(at).slope.slope;
    }
  }
};

/// LV-HBA's loop body for one element. v holds the iterate before the projection onto C:
/// v - shift r is the iterate. With `with_movement` it sums the squares of its steps, too.
template <class M, bool with_movement>
struct Step {
  double* v;
  double* theta;
  Index n;
  double shift, lambda, next_lambda, eta, alpha, inverse_gamma, inverse_c;
  KOKKOS_FUNCTION void operator()(Index e, double& row_v, double& row_theta) const {
    double squared_step = 0.0, squared_lower_step = 0.0;
    double of_v = 0.0, of_theta = 0.0;
    (*this)(e, of_v, of_theta, squared_step, squared_lower_step);
    row_v += of_v;
    row_theta += of_theta;
  }
  KOKKOS_FUNCTION void operator()(Index e, double& row_v, double& row_theta, double& squared_step,
                                  double& squared_lower_step) const {
    constexpr int nx = M::nx, ny = M::ny;
    double at[nx + ny], lower_at[nx + ny], next[nx + ny];
    for (int a = 0; a < nx + ny; ++a) at[a] = v[a * n + e] - shift * M::row(a);
    for (int a = 0; a < nx; ++a) lower_at[a] = next[a] = at[a];
    for (int b = 0; b < ny; ++b) lower_at[nx + b] = theta[b * n + e];
    double slopes[nx + ny], slopes_next[nx + ny], slopes_here[nx + ny], upper_slopes[nx + ny];
    M::lower_gradient(lower_at, slopes);
    for (int b = nx; b < nx + ny; ++b) {
      const double step =
          eta * (slopes[b] + lambda * M::row(b) + (lower_at[b] - at[b]) * inverse_gamma);
      next[b] = lower_at[b] - step;
      if (with_movement) squared_lower_step += step * step;
    }
    M::lower_gradient(next, slopes_next);
    M::lower_gradient(at, slopes_here);
    M::upper_gradient(at, upper_slopes);
    for (int a = 0; a < nx + ny; ++a) {
      const double inner =
          a < nx ? slopes_next[a] + next_lambda * M::row(a) : (at[a] - next[a]) * inverse_gamma;
      const double d = upper_slopes[a] * inverse_c + slopes_here[a] - inner;
      const double moved = at[a] - alpha * d;
      if (with_movement) squared_step += d * d;
      v[a * n + e] = moved;
      row_v += M::row(a) * moved;
      row_theta += M::row(a) * (a < nx ? moved : next[a]);
    }
    for (int b = 0; b < ny; ++b) theta[b * n + e] = next[nx + b];
  }
};

}  // namespace detail::separable

/// F (is_upper) or f and the row, as functions of v.
template <class M, bool is_upper>
class SeparableFunctions final : public ProgramFunctions {
 public:
  explicit SeparableFunctions(Index num_elements) : n_(num_elements) {
    for (int a = 0; a < width; ++a)
      for (int b = 0; b <= a; ++b)
        for (Index e = 0; e < n_; ++e) {
          hessian_.rows.push_back(a * n_ + e);
          hessian_.columns.push_back(b * n_ + e);
        }
    for (Index i = 0; !is_upper && i < width * n_; ++i) {
      jacobian_.rows.push_back(0);
      jacobian_.columns.push_back(i);
    }
  }

  Index num_variables() const override { return width * n_; }
  Index num_constraints() const override { return is_upper ? 0 : 1; }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index) const override { return true; }

 protected:
  double do_objective(const ConstVectorView& v) override {
    return sum("bilevel::value", detail::separable::Value<M, is_upper>{v.data(), n_});
  }
  void do_gradient(const ConstVectorView& v, const VectorView& g) override {
    run("bilevel::gradient", detail::separable::Gradient<M, is_upper>{v.data(), g.data(), n_});
  }
  void do_constraints(const ConstVectorView& v, const VectorView& c) override {
    Kokkos::deep_copy(c, sum("bilevel::row", detail::separable::RowSum<M>{v.data(), n_}));
  }
  void do_jacobian(const ConstVectorView&, const VectorView& values) override {
    run("bilevel::row", detail::separable::Row<M>{nullptr, values.data(), n_});
  }
  void do_hessian(const ConstVectorView& v, double sigma, const ConstVectorView&,
                  const VectorView& values) override {
    run("bilevel::hessian",
        detail::separable::Hessian<M, is_upper>{v.data(), values.data(), sigma, n_});
  }
  void do_apply_jacobian(const ConstVectorView&, const ConstVectorView& w,
                         const VectorView& y) override {
    if (!is_upper) do_constraints(w, y);
  }
  void do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView& w,
                                 const VectorView& y) override {
    if (is_upper)
      Kokkos::deep_copy(y, 0.0);
    else
      run("bilevel::row", detail::separable::Row<M>{w.data(), y.data(), n_});
  }
  void do_apply_hessian(const ConstVectorView& v, double sigma, const ConstVectorView&,
                        const ConstVectorView& w, const VectorView& y) override {
    run("bilevel::hessian_product",
        detail::separable::HessianProduct<M, is_upper>{v.data(), w.data(), y.data(), sigma, n_});
  }

 private:
  static constexpr int width = M::nx + M::ny;
  template <class Body>
  double sum(const char* label, const Body& body) const {
    return reduce_rows<Sums<1>>(default_space(), label, n_, body).value[0];
  }
  template <class Body>
  void run(const char* label, const Body& body) const {
    for_rows(default_space(), label, n_, body);
    default_space().fence("libsolve::separable");
  }
  Index n_;
  SparsePattern jacobian_, hessian_;
};

/// LV-HBA on such a program, one pass over v and theta an iteration: the projection onto
/// C = {v: low <= r . v <= high} is a shift along r whose length is known after the pass and which
/// the next pass applies as it reads. 2 (nx + 2 ny) numbers of 8 bytes an element go over the bus.
template <class M>
class SeparableLvHba final : public LvHbaIteration {
 public:
  SeparableLvHba(Index num_elements, double row_lower, double row_upper)
      : n_(num_elements),
        low_(row_lower),
        high_(row_upper),
        v_("bilevel::v", static_cast<std::size_t>(width) * static_cast<std::size_t>(n_)),
        theta_("bilevel::theta", static_cast<std::size_t>(M::ny) * static_cast<std::size_t>(n_)) {
    for (int a = 0; a < width; ++a) row_squared_ += M::row(a) * M::row(a);
    row_squared_ *= static_cast<double>(n_);
  }

  void start(const ConstVectorView& v) override {
    const auto nx = static_cast<std::size_t>(M::nx * n_);
    Kokkos::deep_copy(v_, v);
    Kokkos::deep_copy(theta_, Kokkos::subview(v, std::pair(nx, v.extent(0))));
    shift_ = lambda_ = z_ = 0.0;
    row_v_ = row_theta_ = sum_row();
    lambda_scale_ = 1.0;
  }

  LvHbaProgress run(const LvHbaSettings& s, std::int64_t first, std::int64_t count) override {
    // With scaled rows g is row_scale (r . v - bound) and its multiplier lambda / row_scale.
    const double scale = s.row_length > 0.0 ? s.row_length / std::sqrt(row_squared_) : 1.0;
    lambda_ *= lambda_scale_ / scale;
    z_ *= lambda_scale_ / scale;
    lambda_scale_ = scale;
    LvHbaProgress progress;
    for (std::int64_t k = first; k < first + count; ++k) {
      const double old_row = row_v_ - shift_ * row_squared_;
      const double old_lambda = lambda_;
      lambda_ =
          lv_hba_multiplier(lambda_ + s.eta * (scale * row_theta_ - (lambda_ - z_) / s.gamma2),
                            s.eta, scale * low_, scale * high_, s.r);
      const auto made = [&](auto step) {
        step.v = v_.data();
        step.theta = theta_.data();
        step.n = n_;
        step.shift = shift_;
        step.lambda = old_lambda * scale;
        step.next_lambda = lambda_ * scale;
        step.eta = s.eta;
        step.alpha = s.alpha;
        step.inverse_gamma = 1.0 / s.gamma1;
        step.inverse_c = 1.0 / lv_hba_weight(s, k);
        return step;
      };
      Sums<4> sums;
      if (k + 1 < first + count) {
        const auto two = reduce_rows<Sums<2>>(default_space(), "bilevel::lv_hba", n_,
                                              made(detail::separable::Step<M, false>{}));
        sums.value[0] = two.value[0];
        sums.value[1] = two.value[1];
      } else {
        sums = reduce_rows<Sums<4>>(default_space(), "bilevel::lv_hba", n_,
                                    made(detail::separable::Step<M, true>{}));
      }
      row_v_ = sums.value[0];
      shift_ = row_v_ > high_  ? (row_v_ - high_) / row_squared_
               : row_v_ < low_ ? (row_v_ - low_) / row_squared_
                               : 0.0;
      row_theta_ = sums.value[1] - shift_ * row_squared_upper();
      z_ = lv_hba_center(z_ + s.beta * (lambda_ - z_) / s.gamma2, low_, high_, s.r);
      if (k + 1 < first + count) continue;
      // |alpha d + shift r|^2, with alpha d . r = old row - new row.
      const double squared = s.alpha * s.alpha * sums.value[2] + 2.0 * shift_ * (old_row - row_v_) +
                             shift_ * shift_ * row_squared_;
      progress.movement = std::sqrt(squared < 0.0 ? 0.0 : squared) / s.alpha;
      progress.lower_movement = std::sqrt(sums.value[3]) / s.eta;
    }
    return progress;
  }

  void current(const VectorView& v, const VectorView& theta, const VectorView& lambda) override {
    const double* const from = v_.data();
    for_rows(default_space(), "bilevel::current", n_, Shifted{from, v.data(), n_, shift_});
    default_space().fence("libsolve::lv_hba_current");
    Kokkos::deep_copy(theta, theta_);
    Kokkos::deep_copy(lambda, lambda_ * lambda_scale_);
  }

  double bytes_per_iteration() const override {
    return 2.0 * sizeof(double) * (width + M::ny) * static_cast<double>(n_);
  }

  struct Shifted {
    const double* from;
    double* to;
    Index n;
    double shift;
    KOKKOS_FUNCTION void operator()(Index e) const {
      for (int a = 0; a < M::nx + M::ny; ++a) to[a * n + e] = from[a * n + e] - shift * M::row(a);
    }
  };

 private:
  static constexpr int width = M::nx + M::ny;
  double sum_row() const {
    return reduce_rows<Sums<1>>(default_space(), "bilevel::row", n_,
                                detail::separable::RowSum<M>{v_.data(), n_})
        .value[0];
  }
  double row_squared_upper() const {
    double sum = 0.0;
    for (int a = 0; a < M::nx; ++a) sum += M::row(a) * M::row(a);
    return sum * static_cast<double>(n_);
  }

  Index n_;
  double low_, high_;
  VectorView v_, theta_;
  double row_squared_ = 0.0;
  double shift_ = 0.0, lambda_ = 0.0, z_ = 0.0, lambda_scale_ = 1.0;
  double row_v_ = 0.0, row_theta_ = 0.0;  ///< r . v before the projection; r . (x, theta)
};

}  // namespace libsolve

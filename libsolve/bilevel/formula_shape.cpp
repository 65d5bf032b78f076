#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/detail/interval_math.hpp>
#include <libsolve/bilevel/formula_range.hpp>
#include <libsolve/bilevel/formula_shape.hpp>

namespace libsolve {

namespace {

using Op = FormulaNode::Op;
using Shape = FormulaShape;

bool is_affine(Shape s) {
  return s == Shape::constant || s == Shape::affine;
}
bool is_convex(Shape s) {
  return is_affine(s) || s == Shape::convex;
}
bool is_concave(Shape s) {
  return is_affine(s) || s == Shape::concave;
}

Shape negated(Shape s) {
  return s == Shape::convex ? Shape::concave : s == Shape::concave ? Shape::convex : s;
}

Shape sum(Shape p, Shape q) {
  if (p == Shape::constant) return q;
  if (is_affine(p) && is_affine(q)) return Shape::affine;
  if (is_convex(p) && is_convex(q)) return Shape::convex;
  if (is_concave(p) && is_concave(q)) return Shape::concave;
  return Shape::unknown;
}

/// Of a step times a factor that does not depend on the variables.
Shape scaled(Shape s, const Interval& factor) {
  if (is_affine(s) || factor.low >= 0.0) return s;
  return factor.high <= 0.0 ? negated(s) : Shape::unknown;
}

/// A convex function of one argument that rises (falls) over the argument's range is convex in what
/// is convex (concave); in what is affine always.
Shape composed(Shape argument, bool rises, bool falls) {
  if (is_affine(argument) || (rises && argument == Shape::convex) ||
      (falls && argument == Shape::concave))
    return Shape::convex;
  return Shape::unknown;
}

Shape power_shape(Shape s, const Interval& range, double p) {
  const bool positive = range.low >= 0.0, negative = range.high <= 0.0;
  if (p > 0.0 && p < 1.0) return is_concave(s) ? Shape::concave : Shape::unknown;
  if (p > 1.0 && detail::is_even(p)) return composed(s, positive, negative);
  if (p > 1.0 && positive) return composed(s, true, false);
  if (p < 0.0 && range.low > 0.0) return composed(s, false, true);
  if (!detail::is_whole(p)) return Shape::unknown;
  // Odd and negative powers, by a^p = -(-a)^p or (-a)^p of the mirrored argument.
  if (p > 1.0 && negative) return negated(composed(negated(s), true, false));
  if (p < 0.0 && range.high < 0.0) {
    const Shape mirrored = composed(negated(s), false, true);
    return detail::is_even(p) ? mirrored : negated(mirrored);
  }
  return Shape::unknown;
}

Shape of_operation(const FormulaNode& n, Shape a, Shape b, const Interval& range_a,
                   const Interval& range_b) {
  const bool a_positive = range_a.low >= 0.0, a_negative = range_a.high <= 0.0;
  switch (n.op) {
    case Op::add:
      return sum(a, b);
    case Op::subtract:
      return sum(a, negated(b));
    case Op::negate:
      return negated(a);
    case Op::multiply:
      if (a == Shape::constant) return scaled(b, range_a);
      return b == Shape::constant ? scaled(a, range_b) : Shape::unknown;
    case Op::divide:
      if (b == Shape::constant)
        return is_affine(a) ? Shape::affine : scaled(a, detail::reciprocal(range_b));
      return a == Shape::constant ? scaled(power_shape(b, range_b, -1.0), range_a) : Shape::unknown;
    case Op::power_constant:
      return power_shape(a, range_a, n.number);
    case Op::exp:
      return composed(a, true, false);
    case Op::cosh:
    case Op::abs:
      return composed(a, a_positive, a_negative);
    case Op::sinh:
      if (a_positive) return composed(a, true, false);
      return a_negative ? negated(composed(negated(a), true, false)) : Shape::unknown;
    case Op::log:
    case Op::log10:
    case Op::sqrt:
      return is_concave(a) ? Shape::concave : Shape::unknown;
    case Op::max:
      return is_convex(a) && is_convex(b) ? Shape::convex : Shape::unknown;
    case Op::min:
      return is_concave(a) && is_concave(b) ? Shape::concave : Shape::unknown;
    default:
      return Shape::unknown;
  }
}

Shape by_rules(const Formulas& formulas, Index formula, const std::vector<bool>& varies,
               std::span<const Interval> box) {
  const std::vector<FormulaNode>& nodes = formulas.nodes();
  const std::vector<Interval> ranges = step_ranges(formulas, box);
  const auto root = static_cast<std::size_t>(formulas.root(formula));
  std::vector<Shape> shapes(root + 1, Shape::constant);
  for (std::size_t k = 0; k <= root; ++k) {
    const FormulaNode& n = nodes[k];
    if (n.op == Op::constant) continue;
    if (n.op == Op::variable) {
      if (varies[k]) shapes[k] = Shape::affine;
      continue;
    }
    const auto a = static_cast<std::size_t>(n.a);
    const auto b = n.b >= 0 ? static_cast<std::size_t>(n.b) : a;
    if (shapes[a] != Shape::constant || shapes[b] != Shape::constant)
      shapes[k] = of_operation(n, shapes[a], shapes[b], ranges[a], ranges[b]);
  }
  return shapes[root];
}

/// Whether a symmetric matrix (n x n, lower triangle by rows) is positive semidefinite: Cholesky's
/// factorisation with diagonal pivots, which ends at a remainder of zeros (Higham, Accuracy and
/// Stability of Numerical Algorithms, 2002, section 10.3). Of the matrix with a unit diagonal, so
/// that no large entry hides a small negative one.
bool is_semidefinite(std::vector<double> A, std::size_t n) {
  std::vector<double> scale(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const double d = A[i * n + i];
    if (d < 0.0) return false;
    if (d > 0.0) scale[i] = 1.0 / std::sqrt(d);
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double& a = A[i * n + j];
      if (a != 0.0 && (scale[i] == 0.0 || scale[j] == 0.0)) return false;
      a *= scale[i] * scale[j];
    }
  constexpr double zero = 1e-12;
  std::vector<bool> is_done(n, false);
  for (std::size_t step = 0; step < n; ++step) {
    std::size_t pivot = n;
    for (std::size_t i = 0; i < n; ++i)
      if (!is_done[i] && (pivot == n || A[i * n + i] > A[pivot * n + pivot])) pivot = i;
    const double d = A[pivot * n + pivot];
    if (d <= zero) {
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j)
          if (!is_done[i] && !is_done[j] && (std::abs(A[i * n + j]) > zero)) return false;
      return true;
    }
    is_done[pivot] = true;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        if (!is_done[i] && !is_done[j])
          A[i * n + j] -= A[std::max(i, pivot) * n + std::min(i, pivot)] *
                          A[std::max(j, pivot) * n + std::min(j, pivot)] / d;
  }
  return true;
}

Shape of_quadratic(const std::shared_ptr<const Formulas>& formulas, Index formula,
                   const std::vector<bool>& varies) {
  FormulaEvaluator evaluator(formulas, {formula});
  const SparsePattern& pattern = evaluator.hessian_pattern();
  std::vector<double> values(pattern.size());
  const std::vector<double> zero(varies.size(), 0.0);
  evaluator.hessian(zero, std::vector<double>{1.0}, values);
  std::vector<std::size_t> place(varies.size(), 0);
  std::size_t n = 0;
  for (std::size_t j = 0; j < varies.size(); ++j)
    if (varies[j]) place[j] = n++;
  std::vector<double> A(n * n, 0.0), minus_A(n * n, 0.0);
  for (std::size_t e = 0; e < pattern.size(); ++e) {
    const auto i = static_cast<std::size_t>(pattern.rows[e]);
    const auto j = static_cast<std::size_t>(pattern.columns[e]);
    if (!varies[i] || !varies[j]) continue;
    A[place[i] * n + place[j]] += values[e];
    minus_A[place[i] * n + place[j]] -= values[e];
  }
  if (std::all_of(A.begin(), A.end(), [](double a) { return a == 0.0; })) return Shape::affine;
  if (is_semidefinite(std::move(A), n)) return Shape::convex;
  return is_semidefinite(std::move(minus_A), n) ? Shape::concave : Shape::unknown;
}

}  // namespace

FormulaShape formula_shape(const std::shared_ptr<const Formulas>& formulas, Index formula,
                           const std::vector<bool>& varies, std::span<const Interval> box) {
  const Shape shape = by_rules(*formulas, formula, varies, box);
  constexpr std::size_t largest_dense = 500;  // of the matrix whose eigenvalues are asked for
  if (shape != Shape::unknown || formulas->degree(formula) > 2 || varies.size() > largest_dense)
    return shape;
  return of_quadratic(formulas, formula, varies);
}

}  // namespace libsolve

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/evolution_test.hpp>
#include <sstream>
#include <utility>

namespace libsolve {

namespace {

using Point = Evolution::Point;

Vector copy_of(const Vector& v) {
  const Vector copied = v.like("evolution_test::copy");
  copy(v, copied);
  return copied;
}

/// NaN counts as the largest.
void raise(double& defect, double by) {
  if (!std::isnan(defect) && !(by <= defect)) defect = by;
}

double over(double difference, double size) {
  return size > 0.0 ? difference / size : difference;
}

/// |a - b| over the larger of |a| and |b|.
double distance(const Vector& a, const Vector& b) {
  const Vector d = copy_of(a);
  axpy(-1.0, b, d);
  return over(norm2(d), std::max(norm2(a), norm2(b)));
}

/// w^T a against v^T b.
double gap(const Vector& w, const Vector& a, const Vector& v, const Vector& b) {
  return over(std::abs(dot(w, a) - dot(v, b)), std::max(norm2(w) * norm2(a), norm2(v) * norm2(b)));
}

class Tester {
 public:
  Tester(Evolution& evolution, const Vector& m, std::uint64_t seed, double difference)
      : e_(evolution), m_(m), seed_(seed), h_(difference) {}

  EvolutionDefects run(double moved_by) {
    Vector before = state(), y = state();
    e_.initial_state(before);
    for (int n = 1; n <= e_.num_steps(); ++n) {
      copy(before, y);
      e_.solve_step(n, before, m_, y);
      const Vector start = copy_of(before), moved_before = copy_of(before), moved = copy_of(y);
      axpy(moved_by, random_state(), moved_before);
      axpy(moved_by, random_state(), moved);
      const Point at{moved_before, moved, m_};
      steps(n, at, {start, y, m_});
      adjoints(n, at);
      derivatives(n, at);
      solves(n, at);
      second_derivatives(n, at);
      if (e_.has_step_cost(n)) step_costs(n, moved);
      std::swap(before, y);
    }
    parameter_costs();
    return defects_;
  }

 private:
  Vector state() const { return Vector("evolution_test::state", e_.state_partition()); }
  Vector random_state() {
    const Vector v = state();
    fill_uniform(v, RandomStream(seed_++, "evolution_test"));
    return v;
  }
  Vector random_parameter() {
    const Vector q = m_.like("evolution_test::parameter");
    fill_uniform(q, RandomStream(seed_++, "evolution_test"));
    return q;
  }

  /// d/dt f(t) at 0 by differences of fourth order; f writes into a vector like `pattern`.
  Vector differences(const Vector& pattern, const std::function<void(double, const Vector&)>& f) {
    const Vector sum = pattern.like("evolution_test::sum"), value = sum.like("evolution_test::f");
    constexpr std::array<std::pair<double, double>, 4> rule = {
        {{1.0, 8.0}, {-1.0, -8.0}, {2.0, -1.0}, {-2.0, 1.0}}};
    for (const auto& [at, weight] : rule) {
      f(at * h_, value);
      axpy(weight / (12.0 * h_), value, sum);
    }
    return sum;
  }

  static Vector along(const Vector& x, double t, const Vector& v) {
    const Vector moved = copy_of(x);
    axpy(t, v, moved);
    return moved;
  }

  void steps(int n, const Point& moved, const Point& solved) {
    const Vector c = state(), c_moved = state();
    e_.residual(n, moved, c_moved);
    e_.residual(n, solved, c);
    raise(defects_.step, over(norm2(c), norm2(c_moved)));
  }

  void adjoints(int n, const Point& at) {
    const Vector v = random_state(), w = random_state(), Av = state(), Atw = state();
    e_.apply_state(n, at, v, Av);
    e_.apply_state_adjoint(n, at, w, Atw);
    raise(defects_.state_adjoint, gap(w, Av, v, Atw));
    e_.apply_before(n, at, v, Av);
    e_.apply_before_adjoint(n, at, w, Atw);
    raise(defects_.before_adjoint, gap(w, Av, v, Atw));
    const Vector q = random_parameter(), Dtw = random_parameter(), there = copy_of(Dtw);
    e_.apply_parameter(n, at, q, Av);
    e_.add_parameter_adjoint(n, at, w, Dtw);
    axpy(-1.0, there, Dtw);
    raise(defects_.parameter_adjoint, gap(w, Av, q, Dtw));
  }

  void derivatives(int n, const Point& at) {
    const Vector v = random_state(), q = random_parameter(), Av = state();
    e_.apply_state(n, at, v, Av);
    raise(defects_.state, distance(Av, differences(Av, [&](double t, const Vector& out) {
                            e_.residual(n, {at.before, along(at.y, t, v), at.m}, out);
                          })));
    e_.apply_before(n, at, v, Av);
    raise(defects_.before, distance(Av, differences(Av, [&](double t, const Vector& out) {
                             e_.residual(n, {along(at.before, t, v), at.y, at.m}, out);
                           })));
    e_.apply_parameter(n, at, q, Av);
    raise(defects_.parameter, distance(Av, differences(Av, [&](double t, const Vector& out) {
                                e_.residual(n, {at.before, at.y, along(at.m, t, q)}, out);
                              })));
  }

  void solves(int n, const Point& at) {
    const Vector r = random_state(), v = state(), Cv = state();
    e_.solve_tangent(n, at, r, v);
    e_.apply_state(n, at, v, Cv);
    raise(defects_.tangent, distance(Cv, r));
    fill(v, 0.0);
    e_.solve_adjoint(n, at, r, v);
    e_.apply_state_adjoint(n, at, v, Cv);
    raise(defects_.adjoint, distance(Cv, r));
  }

  void second_derivatives(int n, const Point& at) {
    const Vector p = random_state(), v_before = random_state(), v = random_state();
    const Vector q = random_parameter();
    const Vector before = random_state(), y = random_state(), m = random_parameter();
    const Vector before_there = copy_of(before), y_there = copy_of(y), m_there = copy_of(m);
    e_.add_second_derivative(n, at, p, {v_before, v, q}, {before, y, m});
    axpy(-1.0, before_there, before);
    axpy(-1.0, y_there, y);
    axpy(-1.0, m_there, m);
    // `of` writes one part of the derivative of p^T c_n at a point.
    const auto change_of = [&](const Vector& pattern,
                               const std::function<void(const Point&, const Vector&)>& of) {
      return differences(pattern, [&](double t, const Vector& out) {
        of({along(at.before, t, v_before), along(at.y, t, v), along(at.m, t, q)}, out);
      });
    };
    const std::array<std::pair<Vector, Vector>, 3> parts = {
        {{before, change_of(before,
                            [&](const Point& x, const Vector& out) {
                              e_.apply_before_adjoint(n, x, p, out);
                            })},
         {y, change_of(y,
                       [&](const Point& x, const Vector& out) {
                         e_.apply_state_adjoint(n, x, p, out);
                       })},
         {m, change_of(m, [&](const Point& x, const Vector& out) {
            fill(out, 0.0);
            e_.add_parameter_adjoint(n, x, p, out);
          })}}};
    // Over the first derivatives where second ones are zero: differences of constants are rounding.
    const std::array<Vector, 3> first = {state(), state(), m.like("evolution_test::first")};
    e_.apply_before_adjoint(n, at, p, first[0]);
    e_.apply_state_adjoint(n, at, p, first[1]);
    e_.add_parameter_adjoint(n, at, p, first[2]);
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const auto& [given, expected] = parts[k];
      const Vector d = copy_of(given);
      axpy(-1.0, expected, d);
      const double size = std::max({norm2(given), norm2(expected), 1e-3 * norm2(first[k])});
      raise(defects_.second_derivative, over(norm2(d), size));
    }
  }

  /// d/dt f(t) at 0.
  double slope(const std::function<double(double)>& f) const {
    return (8.0 * (f(h_) - f(-h_)) - (f(2.0 * h_) - f(-2.0 * h_))) / (12.0 * h_);
  }

  void step_costs(int n, const Vector& y) {
    const Vector v = random_state(), g = state(), Hv = state();
    const Vector q = random_parameter(), g_m = random_parameter(), Hq = random_parameter();
    const Vector g_there = copy_of(g_m), H_there = copy_of(Hq);
    e_.step_cost_gradient(n, y, m_, g, g_m);
    e_.step_cost_hessian(n, y, m_, v, q, Hv, Hq);
    axpy(-1.0, g_there, g_m);
    axpy(-1.0, H_there, Hq);
    const double given = dot(g, v) + dot(g_m, q);
    const double expected =
        slope([&](double t) { return e_.step_cost(n, along(y, t, v), along(m_, t, q)); });
    raise(defects_.cost_gradient,
          over(std::abs(given - expected), norm2(g) * norm2(v) + norm2(g_m) * norm2(q)));
    const auto gradient_at = [&](double t, const Vector& out_y, const Vector& out_m) {
      fill(out_m, 0.0);
      e_.step_cost_gradient(n, along(y, t, v), along(m_, t, q), out_y, out_m);
    };
    const Vector other_m = m_.like("evolution_test::other"), other_y = state();
    raise(defects_.cost_hessian, distance(Hv, differences(Hv, [&](double t, const Vector& out) {
                                   gradient_at(t, out, other_m);
                                 })));
    const Vector changed = differences(Hq, [&](double t, const Vector& out) {
      gradient_at(t, other_y, out);
    });
    // Adding to what is there and taking it away leaves rounding.
    const double size = std::max({norm2(Hq), norm2(changed), 1e-3 * norm2(Hv)});
    axpy(-1.0, Hq, changed);
    raise(defects_.cost_hessian, over(norm2(changed), size));
  }

  void parameter_costs() {
    const Vector q = random_parameter(), g = m_.like("evolution_test::g"), Hq = random_parameter();
    const Vector there = copy_of(Hq);
    e_.add_parameter_cost_gradient(m_, g);
    e_.add_parameter_cost_hessian(m_, q, Hq);
    axpy(-1.0, there, Hq);
    const double given = dot(g, q);
    const double expected = slope([&](double t) { return e_.parameter_cost(along(m_, t, q)); });
    // At its minimum r has no slope: then over what it changes by.
    const double size = std::max(norm2(g), norm2(Hq)) * norm2(q);
    raise(defects_.cost_gradient, over(std::abs(given - expected), size));
    const Vector changed = differences(Hq, [&](double t, const Vector& out) {
      fill(out, 0.0);
      e_.add_parameter_cost_gradient(along(m_, t, q), out);
    });
    raise(defects_.cost_hessian, distance(Hq, changed));
  }

  Evolution& e_;
  Vector m_;
  std::uint64_t seed_;
  double h_;
  EvolutionDefects defects_;
};

std::array<std::pair<const char*, double>, 12> named(const EvolutionDefects& d) {
  return {{{"state_adjoint", d.state_adjoint},
           {"before_adjoint", d.before_adjoint},
           {"parameter_adjoint", d.parameter_adjoint},
           {"state", d.state},
           {"before", d.before},
           {"parameter", d.parameter},
           {"step", d.step},
           {"tangent", d.tangent},
           {"adjoint", d.adjoint},
           {"second_derivative", d.second_derivative},
           {"cost_gradient", d.cost_gradient},
           {"cost_hessian", d.cost_hessian}}};
}

}  // namespace

double EvolutionDefects::largest() const {
  double all = 0.0;
  for (const auto& [name, value] : named(*this)) raise(all, value);
  return all;
}

std::string EvolutionDefects::text() const {
  std::ostringstream out;
  for (const auto& [name, value] : named(*this)) out << name << " " << value << "  ";
  return out.str();
}

EvolutionDefects evolution_defects(Evolution& evolution, const Vector& m, std::uint64_t seed,
                                   double distance, double difference) {
  return Tester(evolution, m, seed, difference).run(distance);
}

}  // namespace libsolve

/// \file
/// Kernels over the elements (terms and constraints) of a user's functor.
#pragma once

#include <libsolve/core/types.hpp>
#include <libsolve/optimize/dual_number.hpp>
#include <vector>

namespace libsolve::detail {

/// The variables of elements, `width` after `width`.
struct Elements {
  Elements(Index n, int w) : count(n), width(w) {}
  Index count;
  int width;
  std::vector<Index> variables = {};
  std::size_t num_pairs() const {
    return static_cast<std::size_t>(count) * static_cast<std::size_t>(width * (width + 1) / 2);
  }
};

/// Which slots belong to a variable: sums in a fixed order, no atomics.
struct Gather {
  Kokkos::View<std::int64_t*, MemSpace> first;
  Kokkos::View<Index*, MemSpace> slots;
};

inline Gather make_gather(const std::vector<Index>& variables, Index num_variables) {
  Gather g{Kokkos::View<std::int64_t*, MemSpace>("optimize::gather_first",
                                                 static_cast<std::size_t>(num_variables) + 1),
           Kokkos::View<Index*, MemSpace>("optimize::gather_slots", variables.size())};
  const auto first = Kokkos::create_mirror_view(g.first);
  const auto slots = Kokkos::create_mirror_view(g.slots);
  for (std::size_t i = 0; i < first.extent(0); ++i) first(i) = 0;
  for (const Index v : variables) ++first(static_cast<std::size_t>(v) + 1);
  for (std::size_t i = 1; i < first.extent(0); ++i) first(i) += first(i - 1);
  std::vector<std::int64_t> next(first.data(), first.data() + first.extent(0));
  for (std::size_t s = 0; s < variables.size(); ++s)
    slots(static_cast<std::size_t>(next[static_cast<std::size_t>(variables[s])]++)) =
        static_cast<Index>(s);
  Kokkos::deep_copy(g.first, first);
  Kokkos::deep_copy(g.slots, slots);
  return g;
}

struct GatherSums {
  Gather g;
  ConstVectorView values;
  VectorView y;
  KOKKOS_FUNCTION void operator()(const Index j) const {
    double sum = 0.0;
    for (std::int64_t s = g.first(j); s < g.first(j + 1); ++s) sum += values(g.slots(s));
    y(j) = sum;
  }
};

inline Kokkos::RangePolicy<ExecSpace> elements(Index count) {
  return {0, static_cast<std::size_t>(count)};
}

/// Complete on return, as calls of ProgramFunctions are.
template <class Kernel>
void run(const char* label, Index count, const Kernel& kernel) {
  Kokkos::parallel_for(label, elements(count), kernel);
  Kokkos::fence();
}

inline void gather(const Gather& g, const VectorView& values, const VectorView& y) {
  run("optimize::gather", static_cast<Index>(y.extent(0)), GatherSums{g, values, y});
}

struct ScaleRows {
  ConstVectorView w;
  VectorView values;
  int width;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    for (int l = 0; l < width; ++l) values(i * width + l) *= w(i);
  }
};

struct AddTo {
  ConstVectorView x;
  VectorView y;
  KOKKOS_FUNCTION void operator()(const Index j) const { y(j) += x(j); }
};

/// An element of either kind by one name.
template <class F, bool is_term>
struct Element {
  static constexpr int width = is_term ? F::term_width : F::constraint_width;
  KOKKOS_FUNCTION static Index variable(const F& f, Index k, int l) {
    if constexpr (is_term)
      return f.term_variable(k, l);
    else
      return f.constraint_variable(k, l);
  }
  template <class T>
  KOKKOS_FUNCTION static T evaluate(const F& f, Index k, const T* x) {
    if constexpr (is_term)
      return f.term(k, x);
    else
      return f.constraint(k, x);
  }
  /// Its variables at x, as constants.
  template <class T>
  KOKKOS_FUNCTION static void read(const F& f, Index k, const ConstVectorView& x, T* local) {
    for (int l = 0; l < width; ++l) local[l] = T(x(variable(f, k, l)));
  }
};

template <class F>
struct TermSum {
  F f;
  ConstVectorView x;
  KOKKOS_FUNCTION void operator()(const Index k, double& sum) const {
    double local[F::term_width];
    Element<F, true>::read(f, k, x, local);
    sum += f.term(k, local);
  }
};

template <class F>
struct ConstraintValues {
  F f;
  ConstVectorView x;
  VectorView c;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    double local[F::constraint_width];
    Element<F, false>::read(f, i, x, local);
    c(i) = f.constraint(i, local);
  }
};

/// The derivative of each element by each of its variables.
template <class F, bool is_term>
struct Slopes {
  using E = Element<F, is_term>;
  F f;
  ConstVectorView x;
  VectorView slots;
  KOKKOS_FUNCTION void operator()(const Index k) const {
    FirstDual local[E::width];
    E::read(f, k, x, local);
    for (int l = 0; l < E::width; ++l) {
      local[l].slope = 1.0;
      slots(k * E::width + l) = E::evaluate(f, k, local).slope;
      local[l].slope = 0.0;
    }
  }
};

/// J v by constraints.
template <class F>
struct ConstraintSlopes {
  F f;
  ConstVectorView x, v;
  VectorView y;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    FirstDual local[F::constraint_width];
    for (int l = 0; l < F::constraint_width; ++l) {
      const Index j = f.constraint_variable(i, l);
      local[l] = {x(j), v(j)};
    }
    y(i) = f.constraint(i, local).slope;
  }
};

/// The second derivatives of each element by pairs (l, k <= l) of its variables, weighted.
template <class F, bool is_term>
struct Curvatures {
  using E = Element<F, is_term>;
  F f;
  ConstVectorView x, lambda;
  double sigma;
  double* values;
  KOKKOS_FUNCTION void operator()(const Index e) const {
    constexpr std::int64_t num_pairs = E::width * (E::width + 1) / 2;
    double weight = sigma;
    if constexpr (!is_term) weight = lambda(e);
    double* out = values + e * num_pairs;
    SecondDual local[E::width];
    E::read(f, e, x, local);
    for (int l = 0; l < E::width; ++l) {
      local[l].value.slope = 1.0;
      for (int k = 0; k <= l; ++k) {
        local[k].slope.value = 1.0;
        double second = E::evaluate(f, e, local).slope.slope;
        // Two operands that are the same variable: the pair stands for both of its orders.
        if (k != l && E::variable(f, e, k) == E::variable(f, e, l)) second *= 2.0;
        *out++ = weight * second;
        local[k].slope.value = 0.0;
      }
      local[l].value.slope = 0.0;
    }
  }
};

/// The second derivatives of each element by each of its variables and along v, weighted.
template <class F, bool is_term>
struct CurvaturesAlong {
  using E = Element<F, is_term>;
  F f;
  ConstVectorView x, lambda, v;
  double sigma;
  VectorView slots;
  KOKKOS_FUNCTION void operator()(const Index e) const {
    double weight = sigma;
    if constexpr (!is_term) weight = lambda(e);
    SecondDual local[E::width];
    for (int l = 0; l < E::width; ++l) {
      const Index j = E::variable(f, e, l);
      local[l] = SecondDual(FirstDual(x(j), v(j)));
    }
    for (int l = 0; l < E::width; ++l) {
      local[l].slope.value = 1.0;
      slots(e * E::width + l) = weight * E::evaluate(f, e, local).slope.slope;
      local[l].slope.value = 0.0;
    }
  }
};

}  // namespace libsolve::detail

#pragma once

#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/detail/element_kernels.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <memory>
#include <utility>

namespace libsolve {

/// The functions of a program from one functor of the user's, with exact derivatives by dual
/// numbers, in kernels: f(x) = sum_k term_k(x_k1, ..., x_kp), c_i(x) = constraint_i(x_i1, ...,
/// x_iq), each of few variables. The functor is copied into kernels and has
///
///   static constexpr int term_width = p, constraint_width = q;       // >= 1
///   Index num_variables() const, num_terms() const, num_constraints() const;
///   KOKKOS_FUNCTION Index term_variable(Index k, int l) const;       // l < p; on the host, too
///   KOKKOS_FUNCTION Index constraint_variable(Index i, int l) const; // l < q
///   template <class T> KOKKOS_FUNCTION T term(Index k, const T* x) const;        // x: the p
///   values template <class T> KOKKOS_FUNCTION T constraint(Index i, const T* x) const;  // x: the
///   q values
///
/// where T is double, Dual<double> or Dual<Dual<double>> and variables of one element may repeat.
/// Where an element has fewer variables, name any one for the rest and leave them unused. Costs p
/// evaluations with dual numbers for a gradient, p (p + 1) / 2 with second-order ones for a
/// Hessian, of each element. Sums over elements have a fixed order.
template <class F>
class ElementFunctions final : public ProgramFunctions {
 public:
  explicit ElementFunctions(F functor)
      : f_(std::move(functor)),
        terms_(f_.num_terms(), F::term_width),
        constraints_(f_.num_constraints(), F::constraint_width) {
    for (Index k = 0; k < f_.num_terms(); ++k)
      for (int l = 0; l < F::term_width; ++l)
        terms_.variables.push_back(checked(f_.term_variable(k, l)));
    for (Index i = 0; i < f_.num_constraints(); ++i)
      for (int l = 0; l < F::constraint_width; ++l) {
        constraints_.variables.push_back(checked(f_.constraint_variable(i, l)));
        jacobian_.rows.push_back(i);
        jacobian_.columns.push_back(constraints_.variables.back());
      }
    for (const detail::Elements* e : {&terms_, &constraints_}) add_pairs(*e);
    term_gather_ = detail::make_gather(terms_.variables, f_.num_variables());
    constraint_gather_ = detail::make_gather(constraints_.variables, f_.num_variables());
  }

  Index num_variables() const override { return f_.num_variables(); }
  Index num_constraints() const override { return f_.num_constraints(); }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }

 protected:
  double do_objective(const ConstVectorView& x) override {
    double sum = 0.0;
    Kokkos::parallel_reduce("optimize::terms", detail::elements(f_.num_terms()),
                            detail::TermSum<F>{f_, x}, sum);
    return sum;
  }
  void do_gradient(const ConstVectorView& x, const VectorView& g) override {
    const VectorView slots("optimize::term_slopes", terms_.variables.size());
    detail::run("optimize::term_slopes", f_.num_terms(), detail::Slopes<F, true>{f_, x, slots});
    detail::gather(term_gather_, slots, g);
  }
  void do_constraints(const ConstVectorView& x, const VectorView& c) override {
    detail::run("optimize::constraints", f_.num_constraints(),
                detail::ConstraintValues<F>{f_, x, c});
  }
  void do_jacobian(const ConstVectorView& x, const VectorView& values) override {
    detail::run("optimize::jacobian", f_.num_constraints(),
                detail::Slopes<F, false>{f_, x, values});
  }
  void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) override {
    detail::run("optimize::term_hessians", f_.num_terms(),
                detail::Curvatures<F, true>{f_, x, lambda, sigma, values.data()});
    detail::run(
        "optimize::constraint_hessians", f_.num_constraints(),
        detail::Curvatures<F, false>{f_, x, lambda, 1.0, values.data() + terms_.num_pairs()});
  }
  void do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                         const VectorView& y) override {
    detail::run("optimize::apply_jacobian", f_.num_constraints(),
                detail::ConstraintSlopes<F>{f_, x, v, y});
  }
  void do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                 const VectorView& y) override {
    const VectorView slots("optimize::adjoint_slots", constraints_.variables.size());
    detail::run("optimize::jacobian", f_.num_constraints(), detail::Slopes<F, false>{f_, x, slots});
    detail::run("optimize::scale_rows", f_.num_constraints(),
                detail::ScaleRows{w, slots, F::constraint_width});
    detail::gather(constraint_gather_, slots, y);
  }
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override {
    const VectorView slots("optimize::term_slots", terms_.variables.size());
    const VectorView more("optimize::constraint_slots", constraints_.variables.size());
    const VectorView rest("optimize::constraint_part", y.extent(0));
    detail::run("optimize::apply_term_hessians", f_.num_terms(),
                detail::CurvaturesAlong<F, true>{f_, x, lambda, v, sigma, slots});
    detail::run("optimize::apply_constraint_hessians", f_.num_constraints(),
                detail::CurvaturesAlong<F, false>{f_, x, lambda, v, 1.0, more});
    detail::gather(term_gather_, slots, y);
    detail::gather(constraint_gather_, more, rest);
    detail::run("optimize::add", static_cast<Index>(y.extent(0)), detail::AddTo{rest, y});
  }

 private:
  Index checked(Index variable) const {
    if (variable < 0 || variable >= f_.num_variables())
      throw ShapeError("an element names variable " + std::to_string(variable) + " of " +
                       std::to_string(f_.num_variables()));
    return variable;
  }
  /// Pairs (l, k <= l) of each element, in the order of detail::Curvatures.
  void add_pairs(const detail::Elements& e) {
    for (std::size_t first = 0; first < e.variables.size();
         first += static_cast<std::size_t>(e.width))
      for (int l = 0; l < e.width; ++l)
        for (int k = 0; k <= l; ++k) {
          const Index p = e.variables[first + static_cast<std::size_t>(l)];
          const Index q = e.variables[first + static_cast<std::size_t>(k)];
          hessian_.rows.push_back(std::max(p, q));
          hessian_.columns.push_back(std::min(p, q));
        }
  }

  F f_;
  detail::Elements terms_, constraints_;
  SparsePattern jacobian_, hessian_;
  detail::Gather term_gather_, constraint_gather_;
};

template <class F>
std::shared_ptr<ProgramFunctions> make_element_functions(F functor) {
  return std::make_shared<ElementFunctions<F>>(std::move(functor));
}

}  // namespace libsolve

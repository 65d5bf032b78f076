#include <libsolve/adapters/sundials/operator_sum.hpp>

#include <algorithm>
#include <libsolve/adapters/sundials/detail/operator_kernels.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/stencil_operator.hpp>

namespace libsolve::sun {

namespace {

class Sum final : public LinearOperator {
 public:
  Sum(double shift, std::vector<OperatorTerm> terms, Partition rows)
      : shift_(shift), terms_(std::move(terms)), rows_(std::move(rows)) {
    if (terms_.size() > 1) scratch_ = Vector("operator_sum::scratch", rows_);
  }

  const Partition& row_partition() const override { return rows_; }
  const Partition& column_partition() const override { return rows_; }

  void apply(const Vector& x, const Vector& y) const override {
    add_up(x, y,
           [](const LinearOperator& L, const Vector& in, const Vector& out) { L.apply(in, out); });
  }
  void apply_adjoint(const Vector& x, const Vector& y) const override {
    add_up(x, y, [](const LinearOperator& L, const Vector& in, const Vector& out) {
      L.apply_adjoint(in, out);
    });
  }
  bool diagonal(const Vector& d) const override {
    const Vector one = d.like("operator_sum::diagonal");
    fill(d, shift_);
    for (const OperatorTerm& t : terms_) {
      if (!t.L->diagonal(one)) return false;
      for_rows(default_space(), "sun::add_diagonal", d.local_size(),
               detail::AddDiagonalBody{t.factor, one.data(), d.data()});
    }
    return true;
  }
  bool is_symmetric() const override {
    return std::all_of(terms_.begin(), terms_.end(),
                       [](const OperatorTerm& t) { return t.L->is_symmetric(); });
  }
  std::string description() const override {
    std::string text = format_number(shift_) + " I";
    for (const OperatorTerm& t : terms_)
      text += " + " + format_number(t.factor) + " (" + t.L->description() + ")";
    return text;
  }
  double bytes_per_apply() const override {
    double bytes = 0.0;
    for (const OperatorTerm& t : terms_)
      bytes += t.L->bytes_per_apply() + 24.0 * rows_.local_size();
    return bytes;
  }
  double memory_bytes() const override { return 8.0 * scratch_.local_size(); }

 private:
  template <class Apply>
  void add_up(const Vector& x, const Vector& y, const Apply& apply) const {
    if (terms_.empty()) {
      linear_combination(shift_, x, 0.0, x, y);
      return;
    }
    apply(*terms_[0].L, x, y);
    for_rows(default_space(), "sun::shift", y.local_size(),
             detail::ShiftBody{shift_, x.data(), terms_[0].factor, y.data()});
    for (std::size_t k = 1; k < terms_.size(); ++k) {
      apply(*terms_[k].L, x, scratch_);
      axpy(terms_[k].factor, scratch_, y);
    }
  }

  double shift_;
  std::vector<OperatorTerm> terms_;
  Partition rows_;
  Vector scratch_;
};

/// One grid operator for constant coefficients, or null where one would be negative.
std::shared_ptr<const LinearOperator> constant_sum(
    double shift, const std::vector<OperatorTerm>& terms,
    const std::vector<const StencilOperator*>& stencils) {
  StencilOperator::Constant sum;
  sum.shift = shift;
  for (std::size_t k = 0; k < stencils.size(); ++k) {
    const StencilOperator::Constant& c = stencils[k]->constant();
    const double factor = terms[k].factor;
    sum.shift += factor * c.shift;
    for (int a = 0; a < 3; ++a) {
      sum.coupling[a] += factor * c.coupling[a];
      for (int side = 0; side < 2; ++side) sum.wall[a][side] += factor * c.wall[a][side];
    }
  }
  bool is_valid = sum.shift >= 0.0;
  for (int a = 0; a < 3; ++a)
    is_valid = is_valid && sum.coupling[a] >= 0.0 && sum.wall[a][0] >= 0.0 && sum.wall[a][1] >= 0.0;
  if (!is_valid) return nullptr;
  return std::make_shared<StencilOperator>(stencils[0]->grid_partition(), sum);
}

/// One grid operator for variable coefficients, or null where one would be negative.
std::shared_ptr<const LinearOperator> variable_sum(
    double shift, const std::vector<OperatorTerm>& terms,
    const std::vector<const StencilOperator*>& stencils) {
  const auto n = static_cast<Index>(stencils[0]->grid().num_cells());
  double num_negative = 0.0;
  const auto sum_of = [&](double constant, const auto& view_of) {
    const VectorView sum("operator_sum::coefficient", static_cast<size_t>(n));
    for (std::size_t k = 0; k < stencils.size(); ++k)
      for_rows(default_space(), "sun::coefficient", n,
               detail::AddCoefficientBody{k == 0 ? constant : 0.0, terms[k].factor,
                                          view_of(stencils[k]->variable()).data(), sum.data()});
    num_negative += reduce_rows<Sums<1>>(default_space(), "sun::coefficient", n,
                                         detail::CountNegativeBody{sum.data()})
                        .value[0];
    return sum;
  };
  StencilOperator::Variable sum;
  for (int a = 0; a < 3; ++a)
    if (stencils[0]->grid().cells[a] > 1)
      sum.face[a] = sum_of(0.0, [a](const auto& v) -> const VectorView& { return v.face[a]; });
  sum.excess = sum_of(shift, [](const auto& v) -> const VectorView& { return v.excess; });
  sum.solid = stencils[0]->variable().solid;
  if (num_negative > 0.0) return nullptr;
  return std::make_shared<StencilOperator>(stencils[0]->grid(), std::move(sum));
}

/// One grid operator for all terms, or null where that cannot be.
std::shared_ptr<const LinearOperator> stencil_sum(double shift,
                                                  const std::vector<OperatorTerm>& terms) {
  std::vector<const StencilOperator*> stencils;
  for (const OperatorTerm& t : terms) {
    const auto* s = dynamic_cast<const StencilOperator*>(t.L.get());
    if (s == nullptr) return nullptr;
    stencils.push_back(s);
    const StencilOperator& first = *stencils[0];
    // over ranks the faces across cuts are elsewhere
    if (!s->is_constant() && s->row_partition().communicator().size() > 1) return nullptr;
    if (s->grid().cells != first.grid().cells || s->is_constant() != first.is_constant() ||
        (!s->is_constant() && s->variable().solid.data() != first.variable().solid.data()))
      return nullptr;
  }
  if (stencils.empty()) return nullptr;
  return stencils[0]->is_constant() ? constant_sum(shift, terms, stencils)
                                    : variable_sum(shift, terms, stencils);
}

}  // namespace

std::shared_ptr<const LinearOperator> operator_sum(double shift,
                                                   const std::vector<OperatorTerm>& terms,
                                                   const Partition& rows) {
  for (const OperatorTerm& t : terms)
    if (!(t.L->row_partition() == rows) || !(t.L->column_partition() == rows))
      throw ShapeError("an operator of " + std::to_string(t.L->num_rows()) + " x " +
                       std::to_string(t.L->num_columns()) + " (" + t.L->description() +
                       ") cannot be added to one of " + std::to_string(rows.global_size()) +
                       " rows");
  if (shift == 0.0 && terms.size() == 1 && terms[0].factor == 1.0) return terms[0].L;
  if (auto stencil = stencil_sum(shift, terms)) return stencil;
  return std::make_shared<Sum>(shift, terms, rows);
}

}  // namespace libsolve::sun

#include <algorithm>
#include <libsolve/bilevel/formula_range.hpp>

namespace libsolve {

namespace {

using Op = FormulaNode::Op;
using detail::IntervalStep;

std::size_t at(Index k) {
  return static_cast<std::size_t>(k);
}

/// The steps that `root` needs, itself included, ascending.
std::vector<Index> steps_below(const std::vector<FormulaNode>& nodes, Index root) {
  std::vector<bool> is_needed(at(root) + 1, false);
  is_needed[at(root)] = true;
  std::vector<Index> found;
  for (Index k = root; k >= 0; --k) {
    if (!is_needed[at(k)]) continue;
    found.push_back(k);
    for (const Index operand : {nodes[at(k)].a, nodes[at(k)].b})
      if (operand >= 0) is_needed[at(operand)] = true;
  }
  std::reverse(found.begin(), found.end());
  return found;
}

IntervalStep step_over(const std::vector<FormulaNode>& nodes, Index k,
                       std::span<const Interval> box, const std::vector<IntervalStep>& before) {
  const FormulaNode& n = nodes[at(k)];
  if (n.op == Op::variable) return {box[at(k)]};
  const Interval none = {0.0, 0.0};
  return detail::evaluate_step(n, n.a >= 0 ? before[at(n.a)].value : none,
                               n.b >= 0 ? before[at(n.b)].value : none);
}

}  // namespace

FormulaRange::FormulaRange(std::shared_ptr<const Formulas> formulas, std::vector<Index> which)
    : formulas_(std::move(formulas)),
      which_(std::move(which)),
      at_box_(formulas_->nodes().size()),
      adjoint_(formulas_->nodes().size()) {
  std::vector<bool> is_needed(formulas_->nodes().size(), false);
  for (const Index formula : which_) {
    own_steps_.push_back(steps_below(formulas_->nodes(), formulas_->root(formula)));
    for (const Index k : own_steps_.back()) is_needed[at(k)] = true;
  }
  for (std::size_t k = 0; k < is_needed.size(); ++k)
    if (is_needed[k]) steps_.push_back(static_cast<Index>(k));
}
FormulaRange::~FormulaRange() = default;

void FormulaRange::enclose(std::span<const Interval> box, std::span<Interval> values,
                           std::span<Interval> gradients) {
  for (const Index k : steps_) at_box_[at(k)] = step_over(formulas_->nodes(), k, box, at_box_);
  for (std::size_t k = 0; k < which_.size(); ++k) {
    values[k] = at_box_[at(formulas_->root(which_[k]))].value;
    if (!gradients.empty()) gradient(k, gradients.subspan(k * box.size(), box.size()));
  }
}

void FormulaRange::gradient(std::size_t k, std::span<Interval> row) {
  const std::vector<FormulaNode>& nodes = formulas_->nodes();
  const std::vector<Index>& list = own_steps_[k];
  std::fill(row.begin(), row.end(), Interval{0.0, 0.0});
  bool is_cut = false;
  for (const Index s : list) {
    adjoint_[at(s)] = {0.0, 0.0};
    is_cut = is_cut || at_box_[at(s)].is_cut;
  }
  if (is_cut) {
    for (const Index s : list)
      if (nodes[at(s)].op == Op::variable) row[at(s)] = detail::everything;
    return;
  }
  using namespace detail;  // NOLINT: operators of intervals
  adjoint_[at(list.back())] = one;
  for (auto s = list.rbegin(); s != list.rend(); ++s) {
    const FormulaNode& n = nodes[at(*s)];
    const Interval w = adjoint_[at(*s)];
    if (n.op == Op::variable) row[at(*s)] = w;
    if (n.op == Op::variable || n.op == Op::constant) continue;
    const IntervalStep& step = at_box_[at(*s)];
    const auto push = [&](Index operand, const Interval& slope) {
      if (operand < 0 || nodes[at(operand)].op == Op::constant) return;
      Interval& to = adjoint_[at(operand)];
      to = to.low == 0.0 && to.high == 0.0 ? w * slope : to + w * slope;
    };
    push(n.a, step.a);
    push(n.b, step.b);
  }
}

std::vector<Interval> step_ranges(const Formulas& formulas, std::span<const Interval> box) {
  std::vector<IntervalStep> steps(formulas.nodes().size());
  std::vector<Interval> ranges(steps.size());
  for (std::size_t k = 0; k < steps.size(); ++k) {
    steps[k] = step_over(formulas.nodes(), static_cast<Index>(k), box, steps);
    ranges[k] = steps[k].value;
  }
  return ranges;
}

}  // namespace libsolve

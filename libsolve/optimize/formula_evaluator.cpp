#include <algorithm>
#include <libsolve/optimize/detail/formula_steps.hpp>
#include <libsolve/optimize/formula.hpp>
#include <numeric>

namespace libsolve {

namespace {

using Op = FormulaNode::Op;
using detail::Curvature;
using detail::FormulaStep;

std::size_t at(Index k) {
  return static_cast<std::size_t>(k);
}

/// Local derivatives that a push multiplies by: one of 5 of a step.
enum Part : int { by_a, by_b, by_aa, by_ab, by_bb };

/// target += value(source) * factors. Arcs are the second derivatives of the weighted sum by pairs
/// of intermediate results; a push moves one from a result to its operands.
struct Push {
  enum class Kind : std::uint8_t {
    create,  ///< adjoint of `step` times its second derivative `first`
    once,    ///< arc `source` times derivative `first` of `step`
    twice,   ///< arc `source` times the derivatives `first` and `second` of `step`
  };
  Kind kind = Kind::once;
  std::uint8_t first = 0, second = 0;
  std::uint8_t factor = 1;  ///< 1 or 2
  Index step = 0;
  Index source = -1;
  Index target = 0;
};

/// Finds the pushes once, for a set of steps.
class PushFinder {
 public:
  explicit PushFinder(const std::vector<FormulaNode>& nodes) : nodes_(nodes), arcs_(nodes.size()) {}

  void run(const std::vector<Index>& steps) {  // ascending
    for (auto k = steps.rbegin(); k != steps.rend(); ++k) {
      const FormulaNode& n = nodes_[at(*k)];
      if (n.op == Op::variable || n.op == Op::constant) continue;
      push_arcs(*k, n);
      create_arcs(*k, n);
    }
  }

  std::vector<Push> pushes = {};
  Index num_arcs = 0;
  /// Arcs of a step to itself and to those before it.
  const std::vector<std::pair<Index, Index>>& arcs_of(Index step) const { return arcs_[at(step)]; }

 private:
  struct Operand {
    Index node;
    std::uint8_t part;
  };
  std::vector<Operand> operands_of(const FormulaNode& n) const {
    std::vector<Operand> result;
    if (n.a >= 0 && nodes_[at(n.a)].op != Op::constant) result.push_back({n.a, by_a});
    if (n.b >= 0 && nodes_[at(n.b)].op != Op::constant) result.push_back({n.b, by_b});
    return result;
  }

  /// The arc of two steps, filed with the later one.
  Index arc(Index p, Index q) {
    if (p < q) std::swap(p, q);
    const auto key = (static_cast<std::uint64_t>(p) << 32) | static_cast<std::uint64_t>(q);
    const auto [place, is_new] = known_.emplace(key, num_arcs);
    if (is_new) {
      arcs_[at(p)].emplace_back(q, num_arcs);
      ++num_arcs;
    }
    return place->second;
  }

  void push_arcs(Index step, const FormulaNode& n) {
    const auto operands = operands_of(n);
    for (const auto& [other, source] : arcs_[at(step)]) {
      if (other == step) {
        push_own(step, source, operands);
        continue;
      }
      for (const Operand& o : operands)
        pushes.push_back({Push::Kind::once, o.part, 0,
                          static_cast<std::uint8_t>(o.node == other ? 2 : 1), step, source,
                          arc(other, o.node)});
    }
  }

  void push_own(Index step, Index source, const std::vector<Operand>& operands) {
    for (std::size_t i = 0; i < operands.size(); ++i)
      for (std::size_t j = i; j < operands.size(); ++j) {
        const bool same = i != j && operands[i].node == operands[j].node;
        pushes.push_back({Push::Kind::twice, operands[i].part, operands[j].part,
                          static_cast<std::uint8_t>(same ? 2 : 1), step, source,
                          arc(operands[i].node, operands[j].node)});
      }
  }

  void create_arcs(Index step, const FormulaNode& n) {
    const Curvature c = detail::curvature_of(n.op);
    const auto varies = [&](Index k) { return k >= 0 && nodes_[at(k)].op != Op::constant; };
    const auto create = [&](std::uint8_t part, Index p, Index q, bool doubled) {
      pushes.push_back({Push::Kind::create, part, 0, static_cast<std::uint8_t>(doubled ? 2 : 1),
                        step, -1, arc(p, q)});
    };
    if (c.aa && varies(n.a)) create(by_aa, n.a, n.a, false);
    if (c.ab && varies(n.a) && varies(n.b)) create(by_ab, n.a, n.b, n.a == n.b);
    if (c.bb && varies(n.b)) create(by_bb, n.b, n.b, false);
  }

  const std::vector<FormulaNode>& nodes_;
  std::vector<std::vector<std::pair<Index, Index>>> arcs_;
  std::unordered_map<std::uint64_t, Index> known_;
};

}  // namespace

struct FormulaEvaluator::Tape {
  std::shared_ptr<const Formulas> formulas;
  std::vector<Index> which;
  std::vector<Index> steps;                   // all that are needed, ascending
  std::vector<std::vector<Index>> own_steps;  // of each formula, ascending
  std::vector<double> linear_jacobian;        // values of linear rows
  std::vector<FormulaStep> at_x;              // by step of the set
  std::vector<double> adjoint;                // by step of the set
  // Second derivatives, found when they are first asked for.
  bool has_pushes = false;
  std::vector<Push> pushes;
  std::vector<double> arcs;
  std::vector<Index> hessian_arcs;

  const std::vector<FormulaNode>& nodes() const { return formulas->nodes(); }

  std::vector<Index> steps_below(Index root, std::vector<Index>& mark, Index stamp) const {
    std::vector<Index> found = {root}, open = {root};
    mark[at(root)] = stamp;
    while (!open.empty()) {
      const FormulaNode& n = nodes()[at(open.back())];
      open.pop_back();
      for (const Index k : {n.a, n.b})
        if (k >= 0 && mark[at(k)] != stamp) {
          mark[at(k)] = stamp;
          found.push_back(k);
          open.push_back(k);
        }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  void sweep_forward(In x) {
    const auto& n = nodes();
    for (const Index k : steps) {
      const FormulaNode& step = n[at(k)];
      if (step.op == Op::variable) {
        at_x[at(k)].value = x[at(k)];
      } else {
        const double a = step.a >= 0 ? at_x[at(step.a)].value : 0.0;
        const double b = step.b >= 0 ? at_x[at(step.b)].value : 0.0;
        at_x[at(k)] = detail::evaluate_step(step, a, b);
      }
    }
  }

  /// Adjoints of the operands from those of the results, over `list` backwards.
  void sweep_backward(const std::vector<Index>& list) {
    const auto& n = nodes();
    for (auto k = list.rbegin(); k != list.rend(); ++k) {
      const FormulaNode& step = n[at(*k)];
      const double w = adjoint[at(*k)];
      if (w == 0.0) continue;
      if (step.a >= 0) adjoint[at(step.a)] += w * at_x[at(*k)].a;
      if (step.b >= 0) adjoint[at(step.b)] += w * at_x[at(*k)].b;
    }
  }

  /// The gradient of one formula at the point of the last forward sweep.
  void gradient(std::size_t k, Out row) {
    const std::vector<Index>& list = own_steps[k];
    for (const Index s : list) adjoint[at(s)] = 0.0;
    adjoint[at(list.back())] = 1.0;
    sweep_backward(list);
    for (std::size_t e = 0; e < row.size(); ++e) row[e] = adjoint[at(list[e])];
  }

  void push_all() {
    std::fill(arcs.begin(), arcs.end(), 0.0);
    const auto part = [&](Index step, std::uint8_t which_part) {
      const FormulaStep& s = at_x[at(step)];
      const double parts[] = {s.a, s.b, s.aa, s.ab, s.bb};
      return parts[which_part];
    };
    for (const Push& p : pushes) {
      double w = p.kind == Push::Kind::create ? adjoint[at(p.step)] : arcs[at(p.source)];
      if (w == 0.0) continue;  // also where the derivative is infinite: nothing depends on it
      w *= part(p.step, p.first) * p.factor;
      if (p.kind == Push::Kind::twice) w *= part(p.step, p.second);
      arcs[at(p.target)] += w;
    }
  }
};

FormulaEvaluator::FormulaEvaluator(std::shared_ptr<const Formulas> formulas,
                                   std::vector<Index> which)
    : tape_(std::make_unique<Tape>()) {
  Tape& t = *tape_;
  t.formulas = std::move(formulas);
  t.which = std::move(which);
  const std::size_t size = t.nodes().size();
  const auto n = static_cast<Index>(t.formulas->variables().size());
  t.at_x.resize(size);
  t.adjoint.assign(size, 0.0);
  std::vector<Index> mark(size, -1);
  std::vector<bool> needed(size, false);
  for (std::size_t k = 0; k < t.which.size(); ++k) {
    t.own_steps.push_back(t.steps_below(t.formulas->root(t.which[k]), mark, static_cast<Index>(k)));
    for (const Index s : t.own_steps.back()) {
      needed[at(s)] = true;
      if (s >= n) continue;
      jacobian_.rows.push_back(static_cast<Index>(k));
      jacobian_.columns.push_back(s);
    }
  }
  for (std::size_t s = 0; s < size; ++s)
    if (needed[s]) t.steps.push_back(static_cast<Index>(s));
  // Gradients of linear formulas are those at 0.
  const std::vector<double> zero(at(n), 0.0);
  t.sweep_forward(zero);
  t.linear_jacobian.assign(jacobian_.size(), 0.0);
  for (std::size_t k = 0, e = 0; k < t.which.size(); ++k) {
    const std::size_t begin = e;
    while (e < jacobian_.size() && jacobian_.rows[e] == static_cast<Index>(k)) ++e;
    if (t.formulas->degree(t.which[k]) <= 1)
      t.gradient(k, Out(t.linear_jacobian).subspan(begin, e - begin));
  }
}
FormulaEvaluator::~FormulaEvaluator() = default;
FormulaEvaluator::FormulaEvaluator(FormulaEvaluator&&) noexcept = default;

void FormulaEvaluator::values(In x, Out values) {
  tape_->sweep_forward(x);
  for (std::size_t k = 0; k < tape_->which.size(); ++k)
    values[k] = tape_->at_x[at(tape_->own_steps[k].back())].value;
}

void FormulaEvaluator::jacobian(In x, Out values) {
  Tape& t = *tape_;
  t.sweep_forward(x);
  for (std::size_t k = 0, e = 0; k < t.which.size(); ++k) {
    const std::size_t begin = e;
    while (e < jacobian_.size() && jacobian_.rows[e] == static_cast<Index>(k)) ++e;
    if (t.formulas->degree(t.which[k]) <= 1)
      std::copy_n(t.linear_jacobian.begin() + static_cast<std::ptrdiff_t>(begin), e - begin,
                  values.begin() + static_cast<std::ptrdiff_t>(begin));
    else
      t.gradient(k, values.subspan(begin, e - begin));
  }
}

const SparsePattern& FormulaEvaluator::hessian_pattern() {
  Tape& t = *tape_;
  if (t.has_pushes) return hessian_;
  t.has_pushes = true;
  PushFinder finder(t.nodes());
  finder.run(t.steps);
  t.pushes = std::move(finder.pushes);
  t.arcs.assign(at(finder.num_arcs), 0.0);
  const auto n = static_cast<Index>(t.formulas->variables().size());
  for (Index row = 0; row < n; ++row) {
    auto arcs = finder.arcs_of(row);
    std::sort(arcs.begin(), arcs.end());
    for (const auto& [column, arc] : arcs) {
      hessian_.rows.push_back(row);
      hessian_.columns.push_back(column);
      t.hessian_arcs.push_back(arc);
    }
  }
  return hessian_;
}

void FormulaEvaluator::hessian(In x, In weights, Out values) {
  hessian_pattern();
  Tape& t = *tape_;
  t.sweep_forward(x);
  for (const Index s : t.steps) t.adjoint[at(s)] = 0.0;
  for (std::size_t k = 0; k < t.which.size(); ++k)
    t.adjoint[at(t.own_steps[k].back())] += weights[k];
  t.sweep_backward(t.steps);
  t.push_all();
  for (std::size_t e = 0; e < values.size(); ++e) values[e] = t.arcs[at(t.hessian_arcs[e])];
}

}  // namespace libsolve

#include <algorithm>
#include <bit>
#include <cmath>
#include <libsolve/optimize/detail/formula_parser.hpp>
#include <libsolve/optimize/detail/formula_steps.hpp>
#include <libsolve/optimize/formula.hpp>

namespace libsolve {

namespace {

using Op = FormulaNode::Op;
constexpr int no_polynomial = 3;

bool commutes(Op op) {
  return op == Op::add || op == Op::multiply;
}

int degree_of(const FormulaNode& n, int a, int b) {
  switch (n.op) {
    case Op::variable:
      return 1;
    case Op::constant:
      return 0;
    case Op::add:
    case Op::subtract:
      return std::max(a, b);
    case Op::negate:
      return a;
    case Op::multiply:
      return std::min(a + b, no_polynomial);
    case Op::divide:
      return b == 0 ? a : no_polynomial;
    case Op::power_constant:
      return n.number == 2.0 && a == 1 ? 2 : no_polynomial;
    default:
      return no_polynomial;
  }
}

}  // namespace

bool is_formula_name(std::string_view name);
bool is_formula_word(std::string_view name);

FormulaError::FormulaError(int column, const std::string& message)
    : DataError("column " + std::to_string(column) + ": " + message), column_(column) {}
FormulaError::~FormulaError() = default;

std::size_t Formulas::Hash::operator()(const FormulaNode& n) const noexcept {
  std::uint64_t h = static_cast<std::uint64_t>(n.op);
  for (const std::uint64_t part : {static_cast<std::uint64_t>(static_cast<std::uint32_t>(n.a)),
                                   static_cast<std::uint64_t>(static_cast<std::uint32_t>(n.b)),
                                   std::bit_cast<std::uint64_t>(n.number)}) {
    h ^= part;
    h *= 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29;
  }
  return h;
}

bool Formulas::Same::operator()(const FormulaNode& p, const FormulaNode& q) const noexcept {
  return p.op == q.op && p.a == q.a && p.b == q.b &&
         std::bit_cast<std::uint64_t>(p.number) == std::bit_cast<std::uint64_t>(q.number);
}

Formulas::Formulas(std::vector<std::string> variables) : variables_(std::move(variables)) {
  for (const std::string& name : variables_) {
    if (!is_formula_name(name))
      throw DataError("'" + name +
                      "' is no name of a variable: letters, digits and _, no digit first");
    if (is_formula_word(name))
      throw DataError("'" + name + "' cannot be a variable, formulas have another meaning for it");
    if (!index_of_.emplace(name, static_cast<Index>(nodes_.size())).second)
      throw DataError("the variable '" + name + "' is there twice");
    nodes_.push_back({Op::variable, -1, -1, 0.0});
    degrees_.push_back(1);
  }
}
Formulas::~Formulas() = default;

Index Formulas::add(std::string_view text) {
  roots_.push_back(FormulaParser(*this, text).formula());
  return size() - 1;
}

Formulas::Relation Formulas::add_relation(std::string_view text) {
  return FormulaParser(*this, text).relation();
}

int Formulas::degree(Index formula) const {
  return degrees_[static_cast<std::size_t>(root(formula))];
}

Index Formulas::find_variable(std::string_view name) const {
  const auto found = index_of_.find(std::string(name));
  return found == index_of_.end() ? -1 : found->second;
}

Index Formulas::constant(double value) {
  return insert({Op::constant, -1, -1, value});
}

Index Formulas::insert(const FormulaNode& n) {
  const auto [place, is_new] = index_of_node_.emplace(n, static_cast<Index>(nodes_.size()));
  if (!is_new) return place->second;
  const auto degree = [&](Index k) {
    return k < 0 ? 0 : int{degrees_[static_cast<std::size_t>(k)]};
  };
  degrees_.push_back(static_cast<std::uint8_t>(degree_of(n, degree(n.a), degree(n.b))));
  nodes_.push_back(n);
  return place->second;
}

Index Formulas::node(Op op, Index a, Index b) {
  const FormulaNode p = nodes_[static_cast<std::size_t>(a)];
  const FormulaNode q = b < 0 ? FormulaNode{} : nodes_[static_cast<std::size_t>(b)];
  const bool a_is_number = p.op == Op::constant, b_is_number = b < 0 || q.op == Op::constant;
  if (a_is_number && b_is_number)
    return constant(detail::evaluate_step({op, 0, 1, 0.0}, p.number, q.number).value);
  const auto b_is = [&](double v) { return b >= 0 && b_is_number && q.number == v; };
  const auto a_is = [&](double v) { return a_is_number && p.number == v; };
  switch (op) {
    case Op::add:
      if (a_is(0.0)) return b;
      if (b_is(0.0)) return a;
      break;
    case Op::subtract:
      if (b_is(0.0)) return a;
      if (a_is(0.0)) return node(Op::negate, b);
      break;
    case Op::multiply:
      if (a_is(0.0) || b_is(0.0)) return constant(0.0);
      if (a_is(1.0)) return b;
      if (b_is(1.0)) return a;
      if (a == b) return insert({Op::power_constant, a, -1, 2.0});
      break;
    case Op::divide:
      if (a_is(0.0)) return a;
      if (b_is(1.0)) return a;
      break;
    case Op::negate:
      if (p.op == Op::negate) return p.a;
      break;
    case Op::power:
      if (b_is(0.0)) return constant(1.0);
      if (b_is(1.0)) return a;
      if (b_is_number) return insert({Op::power_constant, a, -1, q.number});
      break;
    default:
      break;
  }
  if (commutes(op) && b < a) std::swap(a, b);
  return insert({op, a, b, 0.0});
}

}  // namespace libsolve

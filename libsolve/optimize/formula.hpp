#pragma once

#include <cstdint>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Formulas as text, with exact first and second derivatives.
///
///   sum        = [+|-] product { (+|-) product }
///   product    = factor { (*|/) factor }
///   factor     = [-|+] factor | power
///   power      = primary [ (^|**) factor ]          (right to left: 2^3^2 = 2^9, -x^2 = -(x^2))
///   primary    = number | name | "pi" | function "(" sum { "," sum } ")" | "(" sum ")"
///   relation   = sum | sum (<=|>=|=|==) sum | sum <= sum <= sum | sum >= sum >= sum
///
/// Functions: sin cos tan asin acos atan sinh cosh tanh exp log log10 sqrt abs, min max of two and
/// more. Whole exponents take any base, others need a positive one. At a kink (abs, min, max) the
/// derivative is that of one side, 0 for abs at 0.
namespace libsolve {

/// A formula that cannot be read: what stands where, and what was expected.
class LIBSOLVE_EXPORT FormulaError : public DataError {
 public:
  FormulaError(int column, const std::string& message);
  ~FormulaError() override;
  int column() const noexcept { return column_; }  ///< from 1

 private:
  int column_;
};

/// One step of a tape; its operands stand before it.
struct FormulaNode {
  enum class Op : std::uint8_t {
    variable,
    constant,
    add,
    subtract,
    multiply,
    divide,
    power,
    negate,
    power_constant,  ///< a to the power `number`
    sin,
    cos,
    tan,
    asin,
    acos,
    atan,
    sinh,
    cosh,
    tanh,
    exp,
    log,
    log10,
    sqrt,
    abs,
    min,
    max
  };
  Op op = Op::constant;
  Index a = -1, b = -1;  ///< operands; -1: none
  double number = 0.0;   ///< of constants and constant exponents
};

/// Formulas in the same variables on one tape, on which equal subexpressions stand once.
class LIBSOLVE_EXPORT Formulas {
 public:
  /// Throws DataError for a variable that is no name (letters, digits, _; no digit first), that is
  /// there twice, or means something else ("pi", "sin").
  explicit Formulas(std::vector<std::string> variables);
  ~Formulas();

  /// The number of the new formula, from 0. Throws FormulaError.
  Index add(std::string_view text);

  /// lower <= formula <= upper: the constant sides of a relation, or 0 where both sides depend on
  /// variables and the formula is their difference. Without a relation sign both are NaN.
  struct Relation {
    Index formula = 0;
    double lower = 0.0;
    double upper = 0.0;
  };
  /// Throws FormulaError.
  Relation add_relation(std::string_view text);

  Index size() const noexcept { return static_cast<Index>(roots_.size()); }
  const std::vector<std::string>& variables() const noexcept { return variables_; }
  /// 0: constant, 1: linear, 2: quadratic, 3: none of these, as its form shows.
  int degree(Index formula) const;
  /// The variables first, in their order.
  const std::vector<FormulaNode>& nodes() const noexcept { return nodes_; }
  Index root(Index formula) const { return roots_.at(static_cast<std::size_t>(formula)); }

 private:
  friend class FormulaParser;
  Index find_variable(std::string_view name) const;  ///< -1: none
  Index constant(double value);
  /// With constants folded, neutral operands left out, operands of + and * in one order.
  Index node(FormulaNode::Op op, Index a, Index b = -1);
  Index insert(const FormulaNode& n);

  std::vector<std::string> variables_;
  std::unordered_map<std::string, Index> index_of_;
  std::vector<FormulaNode> nodes_;
  std::vector<std::uint8_t> degrees_;
  std::vector<Index> roots_;
  struct Hash {
    std::size_t operator()(const FormulaNode& n) const noexcept;
  };
  struct Same {
    bool operator()(const FormulaNode& p, const FormulaNode& q) const noexcept;
  };
  std::unordered_map<FormulaNode, Index, Hash, Same> index_of_node_;
};

/// Values and derivatives of some formulas of a set, in the order asked for. Keeps its work arrays:
/// one for each thread. What is not defined is NaN or infinite.
class LIBSOLVE_EXPORT FormulaEvaluator {
 public:
  FormulaEvaluator(std::shared_ptr<const Formulas> formulas, std::vector<Index> which);
  ~FormulaEvaluator();
  FormulaEvaluator(FormulaEvaluator&&) noexcept;

  using In = std::span<const double>;
  using Out = std::span<double>;
  /// values: one for each formula. One pass over the steps that they need.
  void values(In x, Out values);
  /// Row k: the variables that formula k has, ascending.
  const SparsePattern& jacobian_pattern() const noexcept { return jacobian_; }
  /// Reverse mode, formula by formula; those of linear ones are known.
  void jacobian(In x, Out values);
  /// The lower triangle of sum_k weights_k f_k'', entries that may differ from 0, by row, column.
  /// The first call of it or of hessian() finds it.
  const SparsePattern& hessian_pattern();
  const SparsePattern& hessian_pattern() const noexcept { return hessian_; }  ///< where it was found
  /// Exact, by edge pushing (Gower, Mello, A new framework for the computation of Hessians, Optim.
  /// Methods Softw. 27, 2012), whose pushes are found once.
  void hessian(In x, In weights, Out values);

 private:
  struct Tape;
  std::unique_ptr<Tape> tape_;
  SparsePattern jacobian_, hessian_;
};

}  // namespace libsolve

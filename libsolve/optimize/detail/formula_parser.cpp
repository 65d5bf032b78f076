#include <cctype>
#include <charconv>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <libsolve/optimize/detail/formula_parser.hpp>
#include <limits>
#include <numbers>

namespace libsolve {

namespace {

using Op = FormulaNode::Op;

struct Function {
  std::string_view name;
  Op op;
};
constexpr Function functions[] = {
    {"sin", Op::sin},   {"cos", Op::cos},   {"tan", Op::tan},   {"asin", Op::asin},
    {"acos", Op::acos}, {"atan", Op::atan}, {"sinh", Op::sinh}, {"cosh", Op::cosh},
    {"tanh", Op::tanh}, {"exp", Op::exp},   {"log", Op::log},   {"log10", Op::log10},
    {"sqrt", Op::sqrt}, {"abs", Op::abs},   {"min", Op::min},   {"max", Op::max}};

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_name_part(char c) {
  return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Parentheses and signs within each other: beyond this the stack might end.
constexpr int deepest = 500;

}  // namespace

bool is_formula_name(std::string_view name) {
  if (name.empty() || !is_name_start(name[0])) return false;
  for (const char c : name)
    if (!is_name_part(c)) return false;
  return true;
}

bool is_formula_word(std::string_view name) {
  for (const Function& f : functions)
    if (f.name == name) return true;
  return name == "pi";
}

Index FormulaParser::formula() {
  const Index node = sum();
  expect_end();
  return node;
}

Formulas::Relation FormulaParser::relation() {
  constexpr double none = std::numeric_limits<double>::infinity();
  const Index first = sum();
  const std::size_t sign_at = at_;
  const auto sign = relation_sign();
  const auto add = [&](Index node) {
    formulas_.roots_.push_back(node);
    return formulas_.size() - 1;
  };
  if (!sign) {
    expect_end();
    return {add(first), std::numeric_limits<double>::quiet_NaN(),
            std::numeric_limits<double>::quiet_NaN()};
  }
  const Index second = sum();
  const bool is_equality = (*sign)[0] == '=';
  const bool is_less = (*sign)[0] == '<';
  const std::size_t second_sign_at = at_;
  if (const auto next = relation_sign()) {
    if (is_equality || *next != *sign)
      fail(second_sign_at, "expected the end of the formula, or the sign " +
                               std::string(is_equality ? "once" : *sign) + ", found \"" +
                               std::string(*next) + "\"");
    const Index third = sum();
    expect_end();
    if (!is_constant(first) || !is_constant(third))
      fail(is_constant(first) ? second_sign_at : sign_at,
           "expected numbers left and right of two signs: 1 <= x + y <= 2");
    const double low = number_of(is_less ? first : third),
                 high = number_of(is_less ? third : first);
    return {add(second), low, high};
  }
  expect_end();
  if (is_constant(second)) {
    const double c = number_of(second);
    return {add(first), is_equality || !is_less ? c : -none, is_equality || is_less ? c : none};
  }
  if (is_constant(first)) {
    const double c = number_of(first);
    return {add(second), is_equality || is_less ? c : -none, is_equality || !is_less ? c : none};
  }
  const Index difference = formulas_.node(Op::subtract, first, second);
  return {add(difference), is_equality || !is_less ? 0.0 : -none,
          is_equality || is_less ? 0.0 : none};
}

std::optional<std::string_view> FormulaParser::relation_sign() {
  skip_blanks();
  for (const std::string_view sign : {"<=", ">="})
    if (take(sign)) return sign;
  if (take("==") || take("=")) return "=";
  if (peek() == '<' || peek() == '>')
    fail(at_, "expected <=, >= or =: strict inequalities are none that a minimum could fulfil");
  return {};
}

Index FormulaParser::sum() {
  Index left = product();
  for (;;) {
    skip_blanks();
    if (take("+"))
      left = formulas_.node(Op::add, left, product());
    else if (take("-"))
      left = formulas_.node(Op::subtract, left, product());
    else
      return left;
  }
}

Index FormulaParser::product() {
  Index left = factor();
  for (;;) {
    skip_blanks();
    if (take("*"))
      left = formulas_.node(Op::multiply, left, factor());
    else if (take("/"))
      left = formulas_.node(Op::divide, left, factor());
    else
      return left;
  }
}

Index FormulaParser::factor() {
  if (++depth_ > deepest)
    fail(at_, "more than " + std::to_string(deepest) +
                  " parentheses, signs or powers within each "
                  "other");
  skip_blanks();
  Index result = -1;
  if (take("-")) {
    result = formulas_.node(Op::negate, factor());
  } else if (take("+")) {
    result = factor();
  } else {
    result = primary();
    skip_blanks();
    if (take("^") || take("**")) result = formulas_.node(Op::power, result, factor());
  }
  --depth_;
  return result;
}

Index FormulaParser::primary() {
  skip_blanks();
  const char c = peek();
  if (c == '(') {
    ++at_;
    const Index inside = sum();
    expect(')', "\")\"");
    return inside;
  }
  if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') return number();
  if (is_name_start(c)) return name_or_call();
  fail(at_, "expected a number, a name or \"(\", found " + found());
}

Index FormulaParser::number() {
  double value = 0.0;
  const char* begin = text_.data() + at_;
  const auto [stop, code] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (code != std::errc()) fail(at_, "expected a number in the range of doubles, found " + found());
  at_ += static_cast<std::size_t>(stop - begin);
  return formulas_.constant(value);
}

Index FormulaParser::name_or_call() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
  const std::string_view name = text_.substr(begin, at_ - begin);
  skip_blanks();
  if (peek() == '(') return call(name, begin);
  if (const Index variable = formulas_.find_variable(name); variable >= 0) return variable;
  if (name == "pi") return formulas_.constant(std::numbers::pi);
  if (is_formula_word(name))
    fail(at_, "expected \"(\" after " + std::string(name) + ", found " + found());
  const std::string near = nearest_name(name, formulas_.variables());
  fail(begin, "unknown name '" + std::string(name) + "'" +
                  (near.empty() ? "; it is no variable" : "; did you mean '" + near + "'?"));
}

Index FormulaParser::call(std::string_view name, std::size_t column) {
  for (const Function& f : functions) {
    if (f.name != name) continue;
    const std::vector<Index> operands = arguments();
    const bool takes_many = f.op == Op::min || f.op == Op::max;
    if (takes_many ? operands.size() < 2 : operands.size() != 1)
      fail(column, std::string(name) + " takes " +
                       (takes_many ? "two or more operands" : "one operand") + ", found " +
                       std::to_string(operands.size()));
    if (!takes_many) return formulas_.node(f.op, operands[0]);
    Index result = operands[0];
    for (std::size_t k = 1; k < operands.size(); ++k)
      result = formulas_.node(f.op, result, operands[k]);
    return result;
  }
  std::vector<std::string> names;
  for (const Function& f : functions) names.emplace_back(f.name);
  const std::string near = nearest_name(name, names);
  fail(column,
       "unknown function '" + std::string(name) + "'" +
           (near.empty() ? "; there are " + join(names) : "; did you mean '" + near + "'?") +
           (formulas_.find_variable(name) >= 0 ? " (a product needs *)" : ""));
}

std::vector<Index> FormulaParser::arguments() {
  ++at_;  // "("
  std::vector<Index> operands = {sum()};
  for (skip_blanks(); take(","); skip_blanks()) operands.push_back(sum());
  expect(')', "\",\" or \")\"");
  return operands;
}

void FormulaParser::expect_end() {
  skip_blanks();
  if (at_ < text_.size())
    fail(at_, "expected an operator or the end of the formula, found " + found());
}

void FormulaParser::expect(char c, const char* what) {
  skip_blanks();
  if (peek() != c) fail(at_, std::string("expected ") + what + ", found " + found());
  ++at_;
}

void FormulaParser::skip_blanks() {
  while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
}

char FormulaParser::peek() {
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool FormulaParser::take(std::string_view sign) {
  if (text_.substr(at_, sign.size()) != sign) return false;
  // "**" is a power, no product.
  if (sign == "*" && text_.substr(at_, 2) == "**") return false;
  at_ += sign.size();
  return true;
}

std::string FormulaParser::found() {
  if (at_ >= text_.size()) return "the end of the formula";
  std::size_t end = at_ + 1;
  if (is_name_part(text_[at_]))
    while (end < text_.size() && is_name_part(text_[end]) && end - at_ < 30) ++end;
  return "\"" + std::string(text_.substr(at_, end - at_)) + "\"";
}

void FormulaParser::fail(std::size_t at, const std::string& message) const {
  throw FormulaError(static_cast<int>(at) + 1, message);
}

bool FormulaParser::is_constant(Index node) const {
  return formulas_.nodes_[static_cast<std::size_t>(node)].op == Op::constant;
}

double FormulaParser::number_of(Index node) const {
  return formulas_.nodes_[static_cast<std::size_t>(node)].number;
}

}  // namespace libsolve

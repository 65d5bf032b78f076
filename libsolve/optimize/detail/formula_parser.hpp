/// \file
/// Reads one formula onto the tape of a set.
#pragma once

#include <libsolve/optimize/formula.hpp>
#include <optional>

namespace libsolve {

class FormulaParser {
 public:
  FormulaParser(Formulas& formulas, std::string_view text) : formulas_(formulas), text_(text) {}

  /// The node of a formula that ends with the text.
  Index formula();
  Formulas::Relation relation();

 private:
  using Op = FormulaNode::Op;

  Index sum();
  Index product();
  Index factor();
  Index primary();
  Index number();
  Index name_or_call();
  Index call(std::string_view name, std::size_t column);
  std::vector<Index> arguments();

  std::optional<std::string_view> relation_sign();
  void expect_end();
  void expect(char c, const char* what);
  void skip_blanks();
  char peek();
  bool take(std::string_view sign);
  std::string found();
  [[noreturn]] void fail(std::size_t at, const std::string& message) const;
  bool is_constant(Index node) const;
  double number_of(Index node) const;

  Formulas& formulas_;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace libsolve

#include "nl_text.hpp"

#include <charconv>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/case_file.hpp>
#include <string_view>
#include <vector>

namespace nl {

namespace {

/// AMPL's library reads expressions by recursion.
constexpr std::size_t most_nested = 20000;

/// Operands of an operator by its number; -1: the next number says how many; 0: none such.
int operands_of(int op) {
  if (op >= 0 && op <= 6) return 2;     // + - * / rem pow less
  if (op == 11 || op == 12) return -1;  // min, max
  if (op >= 13 && op <= 16) return 1;   // floor, ceil, abs, -
  if (op == 20 || op == 21) return 2;   // or, and
  if (op >= 22 && op <= 24) return 2;   // <, <=, =
  if (op >= 28 && op <= 30) return 2;   // >=, >, !=
  if (op == 34) return 1;               // not
  if (op == 35) return 3;               // if
  if (op == 48) return 2;               // atan2
  if (op >= 37 && op <= 53) return 1;   // tanh ... acos
  if (op == 54) return -1;              // sum of a list
  if (op >= 55 && op <= 58) return 2;   // div, precision, round, trunc
  if (op == 70 || op == 71) return -1;  // all, any of a list
  if (op == 73) return 2;               // if and only if
  if (op == 72) return 3;               // implies, else
  if (op == 75 || op == 77) return 2;   // powers with a constant
  if (op == 76) return 1;               // square
  return 0;
}

class TextChecker {
 public:
  TextChecker(const std::string& path, const libsolve::NlHeader& header)
      : h_(header), path_(path), text_(libsolve::read_text_file(path)) {
    const auto m = static_cast<std::size_t>(h_.num_constraints);
    const auto n = static_cast<std::size_t>(h_.num_variables);
    in_expression_.resize(m);
    in_jacobian_.resize(m);
    has_constraint_.assign(m, false);
    has_objective_.assign(static_cast<std::size_t>(h_.num_objectives), false);
    has_common_.assign(static_cast<std::size_t>(h_.num_common_expressions), false);
    column_counts_.assign(n, 0);
    last_row_.assign(n, -1);
  }

  void run() {
    constexpr int header_lines = 10;
    for (int k = 0; k < header_lines; ++k) next_line();
    while (at_ < text_.size()) {
      next_line();
      if (here_.empty()) fail("an empty line, expected a segment");
      const char kind = here_[0];
      here_.remove_prefix(1);
      segment(kind);
    }
    finish();
  }

 private:
  using Line = std::string_view;

  [[noreturn]] void fail(const std::string& message) const {
    throw libsolve::InputError({path_, line_, 0}, {}, message);
  }

  void next_line() {
    if (at_ >= text_.size()) fail("the file ends too early");
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    here_ = Line(text_).substr(at_, end - at_);
    if (!here_.empty() && here_.back() == '\r') here_.remove_suffix(1);
    at_ = end + 1;
    ++line_;
  }

  void skip_blanks() {
    while (!here_.empty() && (here_[0] == ' ' || here_[0] == '\t')) here_.remove_prefix(1);
  }
  template <class T>
  T number(const char* what) {
    skip_blanks();
    T value{};
    const auto [stop, code] = std::from_chars(here_.data(), here_.data() + here_.size(), value);
    // A double out of range is 0 or infinite to the library.
    if (code == std::errc::invalid_argument ||
        (code != std::errc() && !std::is_floating_point_v<T>))
      fail(std::string("expected ") + what + ", found \"" + std::string(here_) + "\"");
    here_.remove_prefix(static_cast<std::size_t>(stop - here_.data()));
    return value;
  }
  /// A whole number from 0 to end - 1.
  int index(const char* what, int end) {
    const int k = number<int>(what);
    if (k < 0 || k >= end)
      fail(std::string(what) + " " + std::to_string(k) + ": expected 0 to " +
           std::to_string(end - 1));
    return k;
  }
  void once(std::vector<bool>& seen, int k, const char* what) {
    if (seen[static_cast<std::size_t>(k)])
      fail(std::string(what) + " " + std::to_string(k) + " is there twice");
    seen[static_cast<std::size_t>(k)] = true;
  }

  void segment(char kind) {
    switch (kind) {
      case 'C': {
        const int i = index("constraint", h_.num_constraints);
        once(has_constraint_, i, "constraint");
        const bool is_constant = expression(&in_expression_[static_cast<std::size_t>(i)]);
        if (!is_constant && i >= h_.num_nonlinear_constraints)
          fail("constraint " + std::to_string(i) +
               " has an expression, and the header says that "
               "those from " +
               std::to_string(h_.num_nonlinear_constraints) + " are linear");
        return;
      }
      case 'O':
        once(has_objective_, index("objective", h_.num_objectives), "objective");
        number<int>("0 (minimise) or 1 (maximise)");
        expression(nullptr);
        return;
      case 'V':
        return common_expression();
      case 'J':
        return jacobian_row();
      case 'G':
        index("objective", h_.num_objectives);
        return pairs(number<int>("a count"), h_.num_variables, "variable");
      case 'k':
      case 'K':
        if (has_columns_) fail("the counts of entries are there twice");
        return column_sums(kind == 'k');
      case 'r':
        has_ranges_ = true;
        return bounds(h_.num_constraints, "constraint");
      case 'b':
        has_bounds_ = true;
        return bounds(h_.num_variables, "variable");
      case 'x':
        return pairs(number<int>("a count"), h_.num_variables, "variable");
      case 'd':
        return pairs(number<int>("a count"), h_.num_constraints, "constraint");
      case 'S':
        return suffix();
      case 'F':
        index("function", h_.num_functions);
        return;
      default:
        fail(std::string("unknown segment '") + kind + "'");
    }
  }

  /// Lines of index and value.
  void pairs(int count, int end, const char* what) {
    if (count < 0 || count > end)
      fail(std::to_string(count) + " values, and there are " + std::to_string(end) + " " + what +
           "s");
    for (int k = 0; k < count; ++k) {
      next_line();
      index(what, end);
      number<double>("a number");
    }
  }

  void suffix() {
    const int kind = index("kind of a suffix", 8);
    const int count = number<int>("a count");
    const int ends[] = {h_.num_variables, h_.num_constraints, h_.num_objectives, 1};
    pairs(count, ends[kind & 3], "index");
  }

  void common_expression() {
    const int k = number<int>("a common expression") - h_.num_variables;
    if (k < 0 || k >= h_.num_common_expressions)
      fail("common expression " + std::to_string(k + h_.num_variables) + ": the header has " +
           std::to_string(h_.num_common_expressions) + " after " +
           std::to_string(h_.num_variables) + " variables");
    const int linear_terms = number<int>("a count of linear terms");
    number<int>("0, or what it is used in");
    for (int i = 0; i < linear_terms; ++i) {
      next_line();
      variable(nullptr);
      number<double>("a number");
    }
    expression(nullptr);
    once(has_common_, k, "common expression");
  }

  void variable(std::vector<int>* used) {
    const int v = index("variable", h_.num_variables + h_.num_common_expressions);
    if (v < h_.num_variables) {
      if (used != nullptr) used->push_back(v);
      return;
    }
    if (!has_common_[static_cast<std::size_t>(v - h_.num_variables)])
      fail("common expression " + std::to_string(v) + " is used before it is there");
  }

  /// True for one that is a number. The variables in it go to `used`.
  bool expression(std::vector<int>* used) {
    bool is_constant = true;
    std::vector<long> open{1};  // operands still to come, of each operator around
    while (!open.empty()) {
      if (open.size() > most_nested)
        fail("expressions nested deeper than " + std::to_string(most_nested) +
             " operators are not read");
      next_line();
      const char kind = here_.empty() ? ' ' : here_[0];
      if (!here_.empty()) here_.remove_prefix(1);
      if (kind != 'n' && kind != 's' && kind != 'l') is_constant = false;
      long operands_here = 0;
      switch (kind) {
        case 'n':
        case 's':
        case 'l':
          number<double>("a number");
          break;
        case 'v':
          nonlinear_variable(used);
          break;
        case 'o':
          operands_here = operands();
          break;
        case 'f': {
          index("function", h_.num_functions);
          const int count = number<int>("a count of arguments");
          if (count < 0) fail("a function of " + std::to_string(count) + " arguments");
          operands_here = count;
          break;
        }
        case 'h':
          break;  // a text, argument of a function
        default:
          fail("an expression goes on here: expected n, v, o or f");
      }
      if (operands_here > 0) {
        open.push_back(operands_here);
        continue;
      }
      while (!open.empty() && --open.back() == 0) open.pop_back();
    }
    return is_constant;
  }
  void nonlinear_variable(std::vector<int>* used) {
    const Line line = here_;
    const int v = number<int>("a variable");
    here_ = line;
    variable(used);
    if (v < h_.num_variables && v >= h_.num_nonlinear_variables)
      fail("variable " + std::to_string(v) +
           " in an expression, and the header says that those "
           "from " +
           std::to_string(h_.num_nonlinear_variables) + " are linear");
  }
  long operands() {
    constexpr int piecewise_linear = 64;
    const int op = number<int>("an operator");
    if (op == piecewise_linear) {
      next_line();
      const int slopes = number<int>("a count of slopes");
      if (slopes < 2) fail("a piecewise linear term of " + std::to_string(slopes) + " slopes");
      for (int k = 0; k < 2 * slopes - 1; ++k) {
        next_line();
        if (here_.empty()) fail("expected a slope or a break");
        here_.remove_prefix(1);
        number<double>("a slope or a break");
      }
      return 1;
    }
    int count = operands_of(op);
    if (count == 0) fail("operator " + std::to_string(op) + " is not known here");
    if (count < 0) {
      next_line();
      count = number<int>("a count of operands");
      if (count < 1) fail("an operator on " + std::to_string(count) + " operands");
    }
    return count;
  }

  void jacobian_row() {
    const int i = index("constraint", h_.num_constraints);
    const int count = number<int>("a count");
    if (!has_columns_) fail("entries of the Jacobian before the segment k, which places them");
    if (count < 0 || count > h_.num_variables)
      fail(std::to_string(count) + " entries in a row of " + std::to_string(h_.num_variables));
    auto& row = in_jacobian_[static_cast<std::size_t>(i)];
    if (!row.empty()) fail("row " + std::to_string(i) + " of the Jacobian is there twice");
    for (int k = 0; k < count; ++k) {
      next_line();
      const int j = index("variable", h_.num_variables);
      number<double>("a number");
      if (last_row_[static_cast<std::size_t>(j)] == i)
        fail("variable " + std::to_string(j) + " is twice in row " + std::to_string(i));
      last_row_[static_cast<std::size_t>(j)] = i;
      row.push_back(j);
      ++column_counts_[static_cast<std::size_t>(j)];
    }
    num_entries_ += count;
  }

  /// Entries in all columns but the last: summed up (k), or one by one (K).
  void column_sums(bool are_summed) {
    const int count = number<int>("a count");
    if (count != h_.num_variables - 1)
      fail(std::to_string(count) + " columns, expected " + std::to_string(h_.num_variables - 1));
    has_columns_ = true;
    long before = 0;
    for (int k = 0; k < count; ++k) {
      next_line();
      const long value = number<long>("a count of entries");
      const long in_column = are_summed ? value - before : value;
      before += in_column;
      if (in_column < 0 || before > h_.num_jacobian_nonzeros)
        fail("counts of entries must not fall, nor go beyond " +
             std::to_string(h_.num_jacobian_nonzeros));
      announced_.push_back(in_column);
    }
    announced_.push_back(h_.num_jacobian_nonzeros - before);
  }

  void bounds(int count, const char* what) {
    for (int k = 0; k < count; ++k) {
      next_line();
      const int kind = number<int>("a kind of bounds");
      const int numbers[] = {2, 1, 1, 0, 1};
      if (kind < 0 || kind > 4)
        fail(std::string("bounds of ") + what + " " + std::to_string(k) + ": kind " +
             std::to_string(kind) + ", expected 0 to 4");
      for (int i = 0; i < numbers[kind]; ++i) number<double>("a bound");
    }
  }

  void finish() const {
    const auto all = [&](const std::vector<bool>& seen, const char* what, int first = 0) {
      for (std::size_t k = 0; k < seen.size(); ++k)
        if (!seen[k])
          fail(std::string("the file ends without ") + what + " " +
               std::to_string(static_cast<int>(k) + first));
    };
    all(has_constraint_, "constraint");
    all(has_objective_, "objective");
    all(has_common_, "common expression", h_.num_variables);
    if (!has_bounds_) fail("the file ends without bounds of the variables (segment b)");
    if (!has_ranges_ && h_.num_constraints > 0)
      fail("the file ends without bounds of the constraints (segment r)");
    if (num_entries_ != h_.num_jacobian_nonzeros)
      fail("the Jacobian has " + std::to_string(num_entries_) + " entries, the header says " +
           std::to_string(h_.num_jacobian_nonzeros));
    for (std::size_t j = 0; has_columns_ && j < column_counts_.size(); ++j)
      if (column_counts_[j] != announced_[j])
        fail("column " + std::to_string(j) + " of the Jacobian has " +
             std::to_string(column_counts_[j]) + " entries, segment k says " +
             std::to_string(announced_[j]));
    check_rows();
  }

  /// The derivatives that the Jacobian has no place for would be lost.
  void check_rows() const {
    std::vector<int> row_of(column_counts_.size(), -1);
    for (std::size_t i = 0; i < in_expression_.size(); ++i) {
      for (const int j : in_jacobian_[i]) row_of[static_cast<std::size_t>(j)] = static_cast<int>(i);
      for (const int j : in_expression_[i])
        if (row_of[static_cast<std::size_t>(j)] != static_cast<int>(i))
          fail("constraint " + std::to_string(i) + " has variable " + std::to_string(j) +
               ", and its row of the Jacobian (segment J) has not");
    }
  }

  const libsolve::NlHeader& h_;
  std::string path_, text_;
  std::size_t at_ = 0;
  int line_ = 0;
  Line here_ = {};
  std::vector<std::vector<int>> in_expression_, in_jacobian_;
  std::vector<bool> has_constraint_, has_objective_, has_common_;
  std::vector<long> column_counts_, announced_;
  std::vector<int> last_row_;
  long num_entries_ = 0;
  bool has_columns_ = false, has_ranges_ = false, has_bounds_ = false;
};

}  // namespace

void check_nl_text(const std::string& path, const libsolve::NlHeader& header) {
  TextChecker(path, header).run();
}

}  // namespace nl

#include "heat_data.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/optimize/formula.hpp>
#include <memory>

namespace heat_inversion {

namespace {

std::shared_ptr<const Formulas> parse(const std::string& formula) {
  auto formulas = std::make_shared<Formulas>(std::vector<std::string>{"x", "y", "z"});
  formulas->add(formula);
  return formulas;
}

/// visit(i, j, k) for the cells of this rank, x fastest.
template <class Visit>
void for_own(const GridPartition& parts, const Visit& visit) {
  const Box& box = parts.own();
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i) visit(i, j, k);
}

}  // namespace

std::string fault_of(const std::string& formula) {
  try {
    parse(formula);
  } catch (const FormulaError& e) {
    return e.what();
  }
  return {};
}

std::vector<double> formula_at_nodes(const std::string& formula, const GridPartition& parts) {
  std::vector<double> values;
  const Grid& grid = parts.grid();
  together(parts.communicator(), [&] {
    FormulaEvaluator evaluator(parse(formula), std::vector<Index>{0});
    for_own(parts, [&](Index i, Index j, Index k) {
      std::array<double, 3> x = {0.0, 0.0, 0.0};
      const std::array<Index, 3> at = {i, j, k};
      for (std::size_t a = 0; a < static_cast<std::size_t>(grid.dimension); ++a)
        x[a] = grid.spacing[a] * (at[a] + 1);
      double value = 0.0;
      evaluator.values(x, {&value, 1});
      if (!std::isfinite(value))
        throw DataError("'" + formula + "' is not finite at (" + std::to_string(x[0]) + ", " +
                        std::to_string(x[1]) + ", " + std::to_string(x[2]) + ")");
      values.push_back(value);
    });
  });
  return values;
}

void add_noise(const GridPartition& parts, double level, std::uint64_t seed,
               std::vector<double>& values) {
  double largest = 0.0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  largest = parts.communicator().max(largest);
  const RandomStream stream(seed, "heat_inversion::noise");
  const Grid& grid = parts.grid();
  std::size_t at = 0;
  for_own(parts, [&](Index i, Index j, Index k) {
    const auto node = static_cast<std::uint64_t>(
        i + grid.cells[0] * (j + GlobalIndex{grid.cells[1]} * k));
    values[at++] += level * largest * stream.normal(node);
  });
}

}  // namespace heat_inversion

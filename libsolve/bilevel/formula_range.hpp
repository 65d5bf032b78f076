#pragma once

#include <libsolve/bilevel/detail/interval_steps.hpp>
#include <libsolve/bilevel/value_range.hpp>
#include <libsolve/optimize/formula.hpp>
#include <memory>
#include <vector>

namespace libsolve {

/// Formulas bounded over boxes: natural interval extensions, one pass over the steps, and
/// enclosures of the gradients by the reverse mode, one pass for each formula (Neumaier, Interval
/// Methods for Systems of Equations, 1990, sections 1.4 and 2.3). An enclosure holds all values at
/// points of the box where the formula is defined; empty (low > high) where that is nowhere. Where
/// the formula is undefined at some points of the box its gradient is unbounded, so that no mean
/// value form is built across them. Keeps its work arrays: one for each thread.
class LIBSOLVE_EXPORT FormulaRange final : public ValueRange {
 public:
  /// `which`: the formulas, in the order of `values`.
  FormulaRange(std::shared_ptr<const Formulas> formulas, std::vector<Index> which);
  ~FormulaRange() override;

  /// Empty `gradients`: values only.
  void enclose(std::span<const Interval> box, std::span<Interval> values,
               std::span<Interval> gradients) override;

 private:
  void gradient(std::size_t k, std::span<Interval> row);

  std::shared_ptr<const Formulas> formulas_;
  std::vector<Index> which_;
  std::vector<Index> steps_;                   ///< all that are needed, ascending
  std::vector<std::vector<Index>> own_steps_;  ///< of each formula, ascending
  std::vector<detail::IntervalStep> at_box_;   ///< by step of the set
  std::vector<Interval> adjoint_;
};

/// The natural interval extension of every step of the set over the box, by step.
LIBSOLVE_EXPORT std::vector<Interval> step_ranges(const Formulas& formulas,
                                                  std::span<const Interval> box);

}  // namespace libsolve

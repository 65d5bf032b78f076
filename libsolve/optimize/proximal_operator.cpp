#include <libsolve/optimize/proximal_operator.hpp>

namespace libsolve {

ProximalOperator::~ProximalOperator() = default;

std::optional<double> ProximalOperator::fixed_step() const {
  return std::nullopt;
}

std::vector<Measure> ProximalOperator::work_counts() const {
  return {};
}

double ProximalSpace::cell_volume() const {
  double volume = 1.0;
  if (grid)
    for (std::size_t a = 0; a < static_cast<std::size_t>(grid->dimension); ++a) volume *= grid->spacing[a];
  return volume;
}

}  // namespace libsolve

#include "settings.hpp"

#include <optional>

namespace multigrid {
namespace {

struct Row {
  const char* name;
  const char* coarsening;
  const char* cycle;
  int sweeps;
  std::optional<double> omega, semi_coarsening;
};

const Row table[num_settings] = {
    {"plain", "auto", "auto", 2, {}, {}},
    {"piecewise-constant F(2,2)", "piecewise-constant", "F", 2, {}, {}},
    {"piecewise-constant F(2,2) omega 1.3", "piecewise-constant", "F", 2, 1.3, {}},
    {"piecewise-constant F(3,3)", "piecewise-constant", "F", 3, {}, {}},
    {"piecewise-constant W(2,2)", "piecewise-constant", "W", 2, {}, {}},
    {"piecewise-constant V(2,2) omega 1", "piecewise-constant", "V", 2, 1.0, {}},
    {"piecewise-constant V(3,3)", "piecewise-constant", "V", 3, {}, {}},
    {"aligned F(2,2) omega 1.2", "aligned", "F", 2, 1.2, {}},
    {"aligned F(2,2) axes 0.1", "aligned", "F", 2, {}, 0.1},
    {"aligned V(2,2) axes 0.1", "aligned", "V", 2, {}, 0.1},
    {"operator-dependent F(2,2)", "operator-dependent", "F", 2, {}, {}},
    {"connected-pieces F(2,2)", "connected-pieces", "F", 2, {}, {}},
    {"connected-pieces F(2,2) omega 1.2", "connected-pieces", "F", 2, 1.2, {}},
};

}  // namespace

Setting setting(int s, const MultigridOptions& given) {
  const Row& row = table[s];
  MultigridOptions o = given;
  o.coarsening = row.coarsening;
  o.cycle = row.cycle;
  o.pre_sweeps = o.post_sweeps = row.sweeps;
  if (row.omega) o.omega = row.omega;
  if (row.semi_coarsening) o.semi_coarsening = *row.semi_coarsening;
  return {row.name, o};
}

}  // namespace multigrid

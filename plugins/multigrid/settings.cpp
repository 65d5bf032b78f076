#include "settings.hpp"

#include <optional>

namespace multigrid {
namespace {

struct Row {
  const char* name;
  const char* coarsening;
  const char* cycle;
  int sweeps;
  std::optional<double> omega, strength;
};

const Row table[num_settings] = {
    {"plain", "auto", "auto", 2, {}, {}},
    {"piecewise-constant W(2,2)", "piecewise-constant", "W", 2, {}, {}},
    {"piecewise-constant V(2,2)", "piecewise-constant", "V", 2, {}, {}},
    {"piecewise-constant V(3,3)", "piecewise-constant", "V", 3, {}, {}},
    {"piecewise-constant V(2,2) strength 0.7", "piecewise-constant", "V", 2, {}, 0.7},
    {"aligned F(2,2)", "aligned", "F", 2, {}, {}},
    {"operator-dependent F(2,2)", "operator-dependent", "F", 2, {}, {}},
    {"connected-pieces F(2,2)", "connected-pieces", "F", 2, {}, {}},
    {"connected-pieces V(2,2)", "connected-pieces", "V", 2, {}, {}},
};

}  // namespace

Setting setting(int s, const MultigridOptions& given) {
  const Row& row = table[s];
  MultigridOptions o = given;
  o.coarsening = row.coarsening;
  o.cycle = row.cycle;
  o.pre_sweeps = o.post_sweeps = row.sweeps;
  if (row.omega) o.omega = row.omega;
  if (row.strength) o.strength = row.strength;
  return {row.name, o};
}

}  // namespace multigrid

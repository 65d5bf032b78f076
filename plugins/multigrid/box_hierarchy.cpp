#include "box_hierarchy.hpp"

#include <utility>

#include "pc_level.hpp"
#include "split_grid.hpp"

namespace multigrid {

template <class Real>
LevelOperator<Real> squeezed(const LevelOperator<Real>& op) {
  const auto axis = squeezed_axes(op.shape);
  LevelOperator<Real> out = op;
  out.shape = squeezed(op.shape);
  for (int a = 0; a < 3; ++a) {
    out.face[a] = axis[a] >= 0 ? op.face[axis[a]] : View<Real>();
    out.coupling[a] = axis[a] >= 0 ? op.coupling[axis[a]] : 0.0;
    for (int s = 0; s < 2; ++s) out.side[a][s] = axis[a] >= 0 ? op.side[axis[a]][s] : 0.0;
  }
  if (op.is_constant)
    for (int a = 0; a < 3; ++a)
      if (op.shape.n[a] == 1) out.shift += op.side[a][0] + op.side[a][1];
  return out;
}

template <class Real>
void add_box_levels(Hierarchy<Real>& hierarchy, BoxOperator<Real> op, BoxElements<Real> elements,
                    const BoxOptions& options) {
  const auto size = [](const std::array<int, 3>& n) { return Shape{n}.size(); };
  while (size(op.n) > options.direct_size) {
    const auto halved = choose_axes(op, options.semi_coarsening);
    if (!halved[0] && !halved[1] && !halved[2]) break;
    BoxCoarse<Real> next = coarsen_box(op, elements, halved);
    hierarchy.add(make_box_level(op, next.weights, options.smoothing),
                  repeats(size(op.n), size(next.op.n)));
    op = std::move(next.op);
    elements = std::move(next.elements);
  }
  hierarchy.set_coarse_solver(make_band_solver<Real>(band_matrix(op)));
}

template <class Real, class From>
std::unique_ptr<Hierarchy<Real>> build_box_hierarchy(const NaturalOperator<From>& op, double scale,
                                                     const BoxOptions& options) {
  auto hierarchy = std::make_unique<Hierarchy<Real>>();
  const SplitOperator<Real> fine = split_operator<Real>(op, scale);
  BoxCoarse<Real> coarse = coarsen_box(fine, choose_axes(op, options.semi_coarsening));
  hierarchy->add(make_box_fine_level(fine, coarse.weights, options.smoothing), false);
  add_box_levels(*hierarchy, std::move(coarse.op), std::move(coarse.elements), options);
  return hierarchy;
}

template <class Real>
std::unique_ptr<Hierarchy<Real>> build_box_hierarchy(const LevelOperator<Real>& op,
                                                     const BoxOptions& options) {
  const LevelOperator<Real> full = expanded(squeezed(op));
  return build_box_hierarchy<Real>(natural_operator(full), 1.0, options);
}

template <class Real>
void add_box_hierarchy(Hierarchy<Real>& hierarchy, const LevelOperator<Real>& op,
                       const BoxOptions& options) {
  const LevelOperator<Real> full = expanded(squeezed(op));
  const SplitOperator<Real> fine = split_operator<Real>(natural_operator(full));
  const auto axes = choose_axes(natural_operator(full), options.semi_coarsening);
  if ((!axes[0] && !axes[1] && !axes[2]) || full.shape.size() <= options.direct_size) {
    hierarchy.set_coarse_solver(make_band_solver<Real>(band_matrix(op)));
    return;
  }
  BoxCoarse<Real> coarse = coarsen_box(fine, axes);
  hierarchy.add(make_box_fine_level(fine, coarse.weights, options.smoothing));
  add_box_levels(hierarchy, std::move(coarse.op), std::move(coarse.elements), options);
}

template void add_box_hierarchy(Hierarchy<float>&, const LevelOperator<float>&, const BoxOptions&);
template void add_box_hierarchy(Hierarchy<double>&, const LevelOperator<double>&,
                                const BoxOptions&);
template void add_box_levels(Hierarchy<float>&, BoxOperator<float>, BoxElements<float>,
                             const BoxOptions&);
template void add_box_levels(Hierarchy<double>&, BoxOperator<double>, BoxElements<double>,
                             const BoxOptions&);
template LevelOperator<float> squeezed(const LevelOperator<float>&);
template LevelOperator<double> squeezed(const LevelOperator<double>&);
template std::unique_ptr<Hierarchy<float>> build_box_hierarchy(const LevelOperator<float>&,
                                                               const BoxOptions&);
template std::unique_ptr<Hierarchy<double>> build_box_hierarchy(const LevelOperator<double>&,
                                                                const BoxOptions&);
template std::unique_ptr<Hierarchy<float>> build_box_hierarchy(const NaturalOperator<double>&,
                                                               double, const BoxOptions&);
template std::unique_ptr<Hierarchy<double>> build_box_hierarchy(const NaturalOperator<double>&,
                                                                double, const BoxOptions&);

}  // namespace multigrid

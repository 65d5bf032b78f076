#include <cmath>
#include <libsolve/core/large_array.hpp>
#include <libsolve/pde/q1_control_operator.hpp>

namespace libsolve {

namespace detail {

template <int D>
struct ApplyControl {
  Q1Stencil<D> M, S;
  const double *y, *q, *w;  ///< w null: W = M
  double *f, *g;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    const Q1Sums<D, double> of_y(y, place, M.sy, M.sz), of_q(q, place, M.sy, M.sz);
    f[entry] = M(of_y) + S(of_q);
    const double Wq = w == nullptr ? M(of_q) : w[entry] * q[place];
    g[entry] = S(of_y) - Wq;
  }
};

}  // namespace detail

Q1ControlOperator::Q1ControlOperator(const NodeGrid& grid, double control_cost,
                                     const ConstVectorView& diagonal)
    : grid_(grid),
      control_cost_(control_cost),
      diagonal_(diagonal),
      partition_(grid.communicator().size() == 1
                     ? Partition(2 * grid.partition().global_size())
                     : Partition(grid.communicator(), 2 * grid.partition().local_size())) {
  const auto size = static_cast<std::size_t>(grid.rows().padded_size);
  y_ = zero_array<double>("q1_control_operator::y", size);
  q_ = zero_array<double>("q1_control_operator::q", size);
}
Q1ControlOperator::~Q1ControlOperator() = default;

void Q1ControlOperator::apply(const Vector& x, const Vector& y) const {
  const auto n = static_cast<std::size_t>(grid_.rows().num_nodes());
  grid_.pad(Kokkos::subview(x.view(), std::make_pair(std::size_t{0}, n)), y_);
  grid_.pad(Kokkos::subview(x.view(), std::make_pair(n, 2 * n)), q_);
  grid_.fetch_neighbours(y_);
  grid_.fetch_neighbours(q_);
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    for_nodes(default_space(), "q1_control_operator::apply", grid_.rows(),
              detail::ApplyControl<D>{
                  Q1Stencil<D>(q1_mass(grid_), grid_.rows()),
                  Q1Stencil<D>(std::sqrt(control_cost_) * q1_stiffness(grid_), grid_.rows()),
                  y_.data(), q_.data(), diagonal_.data(), y.data(), y.data() + n});
  });
}

std::string Q1ControlOperator::description() const {
  std::string text = "conditions of optimality on ";
  for (int a = 0; a < grid_.dimension(); ++a)
    text += (a == 0 ? "" : " x ") + std::to_string(grid_.cells(a));
  return text + " cells";
}

double Q1ControlOperator::bytes_per_apply() const {
  return 4.0 * sizeof(double) * static_cast<double>(grid_.rows().num_nodes());
}

double Q1ControlOperator::memory_bytes() const {
  return 2.0 * sizeof(double) * static_cast<double>(y_.extent(0));
}

}  // namespace libsolve

#include <cmath>
#include <libsolve/core/large_array.hpp>
#include <libsolve/pde/q1_control_operator.hpp>
#include <libsolve/pde/q1_rows.hpp>

namespace libsolve {

namespace detail {

/// (f, g) = (M, s K; s K, -W) (y, q), W = M or diagonal.
template <int D, bool Diagonal>
struct ControlParts {
  static constexpr int num_outputs = 2;
  Q1Stencil<D> M, S;
  const double* w;
  double* out[2];
  Parts operator()(Index entry, const Column& y, const Column& q) const {
    Parts parts = {weighted(M, 0, y) + weighted(S, 0, q), weighted(M, 1, y) + weighted(S, 1, q),
                   weighted(S, 0, y), weighted(S, 1, y)};
    if constexpr (Diagonal) {
      parts.own1 -= w[entry] * q.sum0;
    } else {
      parts.own1 -= weighted(M, 0, q);
      parts.side1 -= weighted(M, 1, q);
    }
    return parts;
  }
};

template <int D, bool Diagonal>
struct ApplyControl {
  Q1Stencil<D> M, S;
  const double *w, *y, *q;
  double *f, *g;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    const Q1Sums<D, double> of_y(y, place, M.sy, M.sz), of_q(q, place, M.sy, M.sz);
    f[entry] = M(of_y) + S(of_q);
    if constexpr (Diagonal)
      g[entry] = S(of_y) - w[entry] * q[place];
    else
      g[entry] = S(of_y) - M(of_q);
  }
};

/// Nodes outside a mask: each by itself.
struct ControlOutside {
  double m, s;
  const double *mask, *w, *y, *q;
  double *f, *g;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    if (mask[place] > 0.0) return;
    f[entry] = m * y[entry] + s * q[entry];
    g[entry] = s * y[entry] - (w == nullptr ? m : w[entry]) * q[entry];
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
  const auto size = static_cast<std::size_t>(grid.scratch_size());
  y_ = zero_array<double>("q1_control_operator::y", size);
  if (grid.has_mask())
    inside_ = zero_array<double>("q1_control_operator::inside",
                                 2 * static_cast<std::size_t>(grid.rows().num_nodes()));
  if (!grid.is_whole_on_host()) q_ = zero_array<double>("q1_control_operator::q", size);
}
Q1ControlOperator::~Q1ControlOperator() = default;

template <int D, bool Diagonal>
void Q1ControlOperator::apply_as(const ConstVectorView& x, const VectorView& y) const {
  const auto n = static_cast<std::size_t>(grid_.rows().num_nodes());
  const Q1Stencil<D> M(q1_mass(grid_), grid_.rows()),
      S(std::sqrt(control_cost_) * q1_stiffness(grid_), grid_.rows());
  double *const f = y.data(), *const g = f + n;
  if constexpr (runs_on_host<ExecSpace>) {
    if (grid_.is_whole_on_host())
      return detail::for_stencils<D, 2>(
          "q1_control_operator::apply", grid_.rows(), {{x.data(), x.data() + n}, y_.data()},
          detail::ControlParts<D, Diagonal>{M, S, diagonal_.data(), {f, g}});
  }
  grid_.pad(Kokkos::subview(x, std::make_pair(std::size_t{0}, n)), y_);
  grid_.pad(Kokkos::subview(x, std::make_pair(n, 2 * n)), q_);
  grid_.fetch_neighbours(y_);
  grid_.fetch_neighbours(q_);
  for_nodes(default_space(), "q1_control_operator::apply", grid_.rows(),
            detail::ApplyControl<D, Diagonal>{M, S, diagonal_.data(), y_.data(), q_.data(), f, g});
}

void Q1ControlOperator::apply(const Vector& x, const Vector& y) const {
  const auto n = static_cast<std::size_t>(grid_.rows().num_nodes());
  const auto part = [n](const auto& v, std::size_t which) {
    return Kokkos::subview(v, std::make_pair(which * n, (which + 1) * n));
  };
  ConstVectorView from = x.view();
  if (grid_.has_mask()) {
    for (const std::size_t which : {0U, 1U})
      grid_.keep_inside(part(from, which), part(inside_, which));
    from = inside_;
  }
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    if (diagonal_.data() != nullptr)
      apply_as<D, true>(from, y.view());
    else
      apply_as<D, false>(from, y.view());
  });
  if (!grid_.has_mask()) return;
  for_nodes(default_space(), "q1_control_operator::outside", grid_.rows(),
            detail::ControlOutside{q1_mass(grid_).centre(),
                                   std::sqrt(control_cost_) * q1_stiffness(grid_).centre(),
                                   grid_.mask().data(), diagonal_.data(), x.data(), x.data() + n,
                                   y.data(), y.data() + n});
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
  return sizeof(double) * static_cast<double>(y_.extent(0) + q_.extent(0) + inside_.extent(0));
}

}  // namespace libsolve

#include "control_functions.hpp"

#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace poisson_control {

namespace {

/// Beyond this many nodes there are only products.
constexpr Index most_nodes_with_entries = 100000;

struct Difference {
  const double *y, *target;
  double* e;
  KOKKOS_FUNCTION void operator()(Index i) const { e[i] = y[i] - target[i]; }
};

struct Add {
  const double* v;
  double* to;
  KOKKOS_FUNCTION void operator()(Index i) const { to[i] += v[i]; }
};

struct Misfit {
  const double *y, *target, *Me, *boundary;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const {
    sum += 0.5 * (y[i] - target[i]) * (Me[i] + boundary[i]);
  }
};

struct HalfProduct {
  const double *u, *Nu;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const { sum += 0.5 * u[i] * Nu[i]; }
};

struct Scale {
  double factor;
  double* v;
  KOKKOS_FUNCTION void operator()(Index i) const { v[i] *= factor; }
};

/// c = w (c - Nu - d), without d where it is null.
struct StateEquation {
  double weight;
  const double *Nu, *d;
  double* c;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double known = d == nullptr ? 0.0 : d[i];
    c[i] = weight * (c[i] - Nu[i] - known);
  }
};

VectorView half(const VectorView& x, Index n, int which) {
  const auto size = static_cast<std::size_t>(n);
  return Kokkos::subview(x, std::make_pair(which * size, (which + 1) * size));
}
ConstVectorView half(const ConstVectorView& x, Index n, int which) {
  const auto size = static_cast<std::size_t>(n);
  return Kokkos::subview(x, std::make_pair(which * size, (which + 1) * size));
}

VectorView on_device(const std::vector<double>& values, const char* label) {
  const VectorView v = bare_array<double>(label, values.size());
  Kokkos::deep_copy(v,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

}  // namespace

ControlFunctions::ControlFunctions(const Data& data)
    : grid_(data.grid),
      n_(grid_.partition().local_size()),
      weight_(data.weight),
      control_cost_(data.control_cost),
      lumped_(data.lumped),
      M_(grid_, q1_mass(grid_)),
      K_(grid_, q1_stiffness(grid_)),
      N_(grid_, lumped_ ? q1_lumped_mass(grid_) : q1_mass(grid_)) {
  const auto n = static_cast<std::size_t>(n_);
  for (VectorView* v : {&target_, &d_, &boundary_misfit_, &product_, &error_})
    *v = zero_array<double>("poisson_control::vector", n);
  set_boundary(data.target, data.zero_boundary);
  if (grid_.communicator().size() == 1 && n_ <= most_nodes_with_entries) make_entries();
}

bool ControlFunctions::has_entries() const {
  return !jacobian_.rows.empty();
}

std::vector<bool> ControlFunctions::nodes_inside() const {
  std::vector<bool> is_inside(static_cast<std::size_t>(n_), true);
  if (!grid_.has_mask()) return is_inside;
  const auto mask = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), grid_.mask());
  const NodeRows& rows = grid_.rows();
  std::size_t entry = 0;
  for (Index k = 0; k < rows.n[2]; ++k)
    for (Index j = 0; j < rows.n[1]; ++j)
      for (Index i = 0; i < rows.n[0]; ++i)
        is_inside[entry++] = mask(static_cast<std::size_t>(rows.place(i, j, k))) > 0.0;
  return is_inside;
}

void ControlFunctions::set_boundary(const std::vector<double>& target, bool zero_boundary) {
  const Box& box = grid_.padded_box();
  std::vector<double> error(target.size(), 0.0), state(target.size(), 0.0), inner;
  const auto on_boundary = [&](Index i, Index j, Index k) {
    const Index at[3] = {i, j, k};
    bool is = false;
    for (int a = 0; a < grid_.dimension(); ++a) is = is || at[a] == 0 || at[a] == grid_.cells(a);
    return is;
  };
  std::size_t place = 0;
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i, ++place)
        if (on_boundary(i, j, k)) (zero_boundary ? error : state)[place] = target[place];
  for (double& e : error) e = -e;  // 0 - y_d
  grid_.unpad(on_device(target, "poisson_control::target"), target_);
  M_.apply_padded(on_device(error, "poisson_control::error"), boundary_misfit_);
  K_.apply_padded(on_device(state, "poisson_control::state"), d_);
  for_rows(ExecSpace(), "poisson_control::boundary", n_, Scale{-1.0, d_.data()});
  Kokkos::fence("poisson_control::boundary");
  if (!zero_boundary) return;
  // 1/2 e_B^T M_BB e_B, cell by cell: integrals of products of corner functions are h/3 or h/6 an
  // axis.
  const Box own = grid_.all_nodes().own();
  double sum = 0.0;
  const int corners = 1 << grid_.dimension();
  const auto& stride = grid_.rows().stride;
  const auto last = [&](int a) {
    return a < grid_.dimension() ? std::min(own.end[a], grid_.cells(a)) : own.end[a];
  };
  for (Index k = own.begin[2]; k < last(2); ++k)
    for (Index j = own.begin[1]; j < last(1); ++j)
      for (Index i = own.begin[0]; i < last(0); ++i) {
        const auto cell = static_cast<std::size_t>(
            (i - box.begin[0]) +
            box.cells(0) * ((j - box.begin[1]) + box.cells(1) * (k - box.begin[2])));
        for (int b = 0; b < corners; ++b)
          for (int c = 0; c < corners; ++c) {
            double weight = 0.5;
            std::size_t at_b = cell, at_c = cell;
            for (int a = 0; a < grid_.dimension(); ++a) {
              const bool up_b = ((b >> a) & 1) != 0, up_c = ((c >> a) & 1) != 0;
              weight *= grid_.spacing(a) / (up_b == up_c ? 3.0 : 6.0);
              if (up_b) at_b += static_cast<std::size_t>(stride[a]);
              if (up_c) at_c += static_cast<std::size_t>(stride[a]);
            }
            sum += weight * error[at_b] * error[at_c];
          }
      }
  constant_misfit_ = grid_.communicator().sum(sum);
}

void ControlFunctions::make_entries() {
  const auto add = [](const Q1Operator& A, Index row_shift, Index column_shift, double factor,
                      bool lower_only, SparsePattern& pattern, std::vector<double>& values) {
    const auto matrix = A.assemble();
    const auto first =
        Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), matrix->row_pointers());
    const auto columns =
        Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), matrix->columns());
    const auto entries = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), matrix->values());
    for (std::size_t i = 0; i + 1 < first.extent(0); ++i)
      for (auto e = static_cast<std::size_t>(first(i)); e < static_cast<std::size_t>(first(i + 1));
           ++e) {
        const auto row = static_cast<Index>(i);
        if (lower_only && columns(e) > row) continue;
        pattern.rows.push_back(row + row_shift);
        pattern.columns.push_back(columns(e) + column_shift);
        values.push_back(factor * entries(e));
      }
  };
  add(K_, 0, 0, 1.0, false, jacobian_, jacobian_values_);
  add(N_, 0, n_, -1.0, false, jacobian_, jacobian_values_);
  add(M_, 0, 0, 1.0, true, hessian_, hessian_values_);
  add(N_, n_, n_, control_cost_, true, hessian_, hessian_values_);
}

std::shared_ptr<const InnerProduct> ControlFunctions::variable_product() const {
  // Both mass matrices measure functions; N differs from M where it is lumped, at second order.
  return std::make_shared<MassInnerProduct>(grid_, 2, lumped_, weight_);
}

std::shared_ptr<const InnerProduct> ControlFunctions::constraint_product() const {
  return std::make_shared<MassInnerProduct>(grid_, 1, lumped_, weight_);
}

Field ControlFunctions::field(const char* name, const VectorView& values, const char* text) const {
  Field f;
  f.name = name;
  f.values = Vector(values, grid_.partition());
  f.description = text;
  f.grid = grid_.as_cells();
  f.box = grid_.cells_box();
  return f;
}

std::vector<Field> ControlFunctions::fields(const ConstVectorView& x,
                                            const ConstVectorView& lambda) const {
  const auto copy_of = [&](const ConstVectorView& v, double factor) {
    const VectorView copied = bare_array<double>("poisson_control::field", v.extent(0));
    Kokkos::deep_copy(copied, v);
    for_rows(ExecSpace(), "poisson_control::field", n_, Scale{factor, copied.data()});
    Kokkos::fence("poisson_control::field");
    return copied;
  };
  return {
      field("state", copy_of(half(x, n_, 0), 1.0), "y at the inner nodes, as cells around them"),
      field("control", copy_of(half(x, n_, 1), 1.0), "u"),
      field("adjoint", copy_of(lambda, -1.0), "p = -lambda, -Laplace p = y - y_d"),
      field("target", target_, "y_d at the inner nodes")};
}

void ControlFunctions::apply_to_error(const ConstVectorView& x, const VectorView& Me) const {
  for_rows(default_space(), "poisson_control::error", n_,
           Difference{x.data(), target_.data(), error_.data()});
  M_.apply(error_, Me);
  for_rows(default_space(), "poisson_control::error", n_,
           Add{boundary_misfit_.data(), Me.data()});
}

void ControlFunctions::scale_halves(double first, double second, const VectorView& v) const {
  for_rows(ExecSpace(), "poisson_control::scale", n_, Scale{first, v.data()});
  for_rows(ExecSpace(), "poisson_control::scale", n_, Scale{second, v.data() + n_});
  Kokkos::fence("poisson_control::scale");
}

double ControlFunctions::do_objective(const ConstVectorView& x) {
  apply_to_error(x, product_);
  const double misfit = reduce_rows<Sums<1>>(ExecSpace(), "poisson_control::misfit", n_,
                                             Misfit{x.data(), target_.data(), product_.data(),
                                                    boundary_misfit_.data()})
                            .value[0];
  const ConstVectorView u = half(x, n_, 1);
  N_.apply(u, product_);
  const double cost = reduce_rows<Sums<1>>(ExecSpace(), "poisson_control::cost", n_,
                                           HalfProduct{u.data(), product_.data()})
                          .value[0];
  return weight_ * (grid_.communicator().sum(misfit + control_cost_ * cost) + constant_misfit_);
}

void ControlFunctions::do_gradient(const ConstVectorView& x, const VectorView& g) {
  apply_to_error(x, half(g, n_, 0));
  N_.apply(half(x, n_, 1), half(g, n_, 1));
  scale_halves(weight_, weight_ * control_cost_, g);
}

void ControlFunctions::do_constraints(const ConstVectorView& x, const VectorView& c) {
  K_.apply(half(x, n_, 0), c);
  N_.apply(half(x, n_, 1), product_);
  for_rows(ExecSpace(), "poisson_control::state_equation", n_,
           StateEquation{weight_, product_.data(), d_.data(), c.data()});
  Kokkos::fence("poisson_control::state_equation");
}

void ControlFunctions::do_apply_jacobian(const ConstVectorView&, const ConstVectorView& v,
                                         const VectorView& y) {
  K_.apply(half(v, n_, 0), y);
  N_.apply(half(v, n_, 1), product_);
  for_rows(ExecSpace(), "poisson_control::jacobian_product", n_,
           StateEquation{weight_, product_.data(), nullptr, y.data()});
  Kokkos::fence("poisson_control::jacobian_product");
}

void ControlFunctions::do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView& w,
                                                 const VectorView& y) {
  K_.apply(w, half(y, n_, 0));
  N_.apply(w, half(y, n_, 1));
  scale_halves(weight_, -weight_, y);
}

void ControlFunctions::do_apply_hessian(const ConstVectorView&, double sigma,
                                        const ConstVectorView&, const ConstVectorView& v,
                                        const VectorView& y) {
  M_.apply(half(v, n_, 0), half(y, n_, 0));
  N_.apply(half(v, n_, 1), half(y, n_, 1));
  scale_halves(sigma * weight_, sigma * weight_ * control_cost_, y);
}

void ControlFunctions::do_jacobian(const ConstVectorView&, const VectorView& values) {
  std::vector<double> scaled(jacobian_values_);
  for (double& v : scaled) v *= weight_;
  Kokkos::deep_copy(values, on_device(scaled, "poisson_control::jacobian"));
}

void ControlFunctions::do_hessian(const ConstVectorView&, double sigma, const ConstVectorView&,
                                  const VectorView& values) {
  std::vector<double> scaled(hessian_values_);
  for (double& v : scaled) v *= sigma * weight_;
  Kokkos::deep_copy(values, on_device(scaled, "poisson_control::hessian"));
}

}  // namespace poisson_control

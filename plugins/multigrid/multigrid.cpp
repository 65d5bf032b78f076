#include "multigrid.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/linear/operator_forms.hpp>
#include <limits>

#include "box_hierarchy.hpp"
#include "cost.hpp"
#include "pieces_level.hpp"
#include "rank_setup.hpp"
#include "survey.hpp"

namespace multigrid {

using libsolve::DotPair;
using libsolve::Vector;

namespace {

/// A row of a box between two arrays over larger ones.
struct BoxRows {
  int n[3];
  std::ptrdiff_t from_first, from_row, from_plane;
  std::ptrdiff_t to_first, to_row, to_plane;

  BoxRows(const libsolve::Box& part, const libsolve::Box& from, const libsolve::Box& to) {
    const auto place = [&](const libsolve::Box& outer, std::ptrdiff_t& first, std::ptrdiff_t& row,
                           std::ptrdiff_t& plane) {
      row = outer.cells(0);
      plane = row * outer.cells(1);
      first = (part.begin[0] - outer.begin[0]) + row * (part.begin[1] - outer.begin[1]) +
              plane * (part.begin[2] - outer.begin[2]);
    };
    for (int a = 0; a < 3; ++a) n[a] = part.cells(a);
    place(from, from_first, from_row, from_plane);
    place(to, to_first, to_row, to_plane);
  }
  [[nodiscard]] libsolve::Index num_rows() const { return n[1] * n[2]; }
  KOKKOS_INLINE_FUNCTION std::ptrdiff_t from(libsolve::Index r) const {
    return from_first + r % n[1] * from_row + r / n[1] * from_plane;
  }
  KOKKOS_INLINE_FUNCTION std::ptrdiff_t to(libsolve::Index r) const {
    return to_first + r % n[1] * to_row + r / n[1] * to_plane;
  }
};

template <class Real>
struct ImportRow {
  BoxRows rows;
  const double* from;
  double factor;
  Real* to;
  KOKKOS_INLINE_FUNCTION void operator()(libsolve::Index r) const {
    const double* source = from + rows.from(r);
    Real* target = to + rows.to(r);
#pragma omp simd
    for (int i = 0; i < rows.n[0]; ++i) target[i] = Real(factor * source[i]);
  }
};

/// z, and its products with r and q.
template <class Real>
struct ExportRow {
  BoxRows rows;
  const Real* from;
  double factor;
  double* z;
  const double* r;
  const double* q;
  KOKKOS_INLINE_FUNCTION void operator()(libsolve::Index row, double& zr, double& zq) const {
    const Real* source = from + rows.from(row);
    const std::ptrdiff_t at = rows.to(row);
    double a = 0.0, b = 0.0;
#pragma omp simd reduction(+ : a, b)
    for (int i = 0; i < rows.n[0]; ++i) {
      const double value = factor * double(source[i]);
      z[at + i] = value;
      a += value * r[at + i];
      b += value * q[at + i];
    }
    zr += a;
    zq += b;
  }
};

struct LargestMagnitude {
  const double* values;
  std::ptrdiff_t stride;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t i, double& largest, double& faults) const {
    const double v = values[i * stride];
    const double magnitude = v < 0 ? -v : v;
    largest = magnitude > largest ? magnitude : largest;
    faults += v - v;  // not zero where v is not finite
  }
};

double largest_magnitude(const Vector& v, std::ptrdiff_t samples) {
  const auto n = std::ptrdiff_t(v.local_size());
  const std::ptrdiff_t stride = std::max<std::ptrdiff_t>(1, n / samples);
  const auto found = libsolve::reduce_rows<libsolve::MaxAndSum>(
      libsolve::default_space(), "multigrid::largest_magnitude",
      libsolve::Index((n + stride - 1) / stride), LargestMagnitude{v.data(), stride});
  double over_ranks[2] = {found.value[0], found.value[1] == 0.0 ? 0.0 : 1.0};
  v.communicator().max(over_ranks);
  return over_ranks[1] == 0.0 ? over_ranks[0] : std::numeric_limits<double>::quiet_NaN();
}

/// Couplings whose ratio is larger get a cycle in double; see README.md for what was measured. The
/// sums of rows are off by 6e-8 in float, which in 1D makes an operator of a few thousand cells
/// indefinite whatever its couplings.
double widest_float_range(int num_axes) {
  return num_axes < 2 ? 0.0 : num_axes == 2 ? 1e8 : 1e12;
}

bool usable(double largest) {
  return largest > 0.0 && std::isfinite(largest);
}

}  // namespace

/// Hides the type of the numbers inside the cycle.
struct Multigrid::Cycle {
  virtual ~Cycle() = default;
  virtual DotPair run(const Vector& r, double scale, const Vector& z, const Vector* q) = 0;
  virtual double bytes() const = 0;
  virtual int num_levels() const = 0;
  virtual Work work() const { return {}; }
};

template <class Real>
struct Multigrid::CycleOf final : Multigrid::Cycle {
  std::unique_ptr<Hierarchy<Real>> hierarchy;
  CycleKind kind = CycleKind::v;
  double operator_scale = 1.0;

  // scale r into the range of Real; A = operator_scale A', so A z = r is A' (z scale
  // operator_scale) = scale r
  DotPair run(const Vector& r, double scale, const Vector& z, const Vector* q) override {
    const Rhs<Real> rhs{{}, r.view(), scale};
    Result<Real> result;
    result.outer = z.view();
    if (q != nullptr) result.other = q->view();
    result.scale = 1.0 / (scale * operator_scale);
    hierarchy->cycle(kind, rhs, result);
    return {result.dot_rhs, result.dot_other};
  }
  double bytes() const override { return static_cast<double>(hierarchy->bytes()); }
  int num_levels() const override { return hierarchy->num_levels(); }
  Work work() const override { return hierarchy->work(kind); }
};

/// On several ranks: r and z go to the boxes of the cycle and back.
template <class Real>
struct Multigrid::CycleOverRanks final : Multigrid::Cycle {
  CycleOverRanks(const libsolve::StencilOperator& A, RankCycle<Real> parts)
      : cycle(std::move(parts)) {
    // In the cycle's numbering of the axes; rows and boxes are the same.
    const libsolve::GridPartition& own = A.grid_partition();
    from = renumbered(own, cycle.finest);
    const double elsewhere = from.own() == cycle.finest.own() ? 0.0 : 1.0;
    is_in_place = from.communicator().max(elsewhere) == 0.0;
    in = libsolve::GridHalo(from, cycle.box, is_in_place ? cycle.box : from.own());
    if (!is_in_place) out = libsolve::GridHalo(cycle.finest, from.own(), cycle.box);
    const auto numbers = [](const char* label, const libsolve::Box& b) {
      return View<Real>(label, std::size_t(b.num_cells()));
    };
    r_around = numbers("multigrid::outer_r", cycle.box);
    z_around = numbers("multigrid::outer_z", cycle.box);
    if (!is_in_place) {
      r_own = numbers("multigrid::outer_r", from.own());
      z_own = numbers("multigrid::outer_z", from.own());
    }
    bytes_here = double(cycle.hierarchy.bytes()) +
                        sizeof(Real) * double(r_own.size() + r_around.size() + z_around.size() +
                                              z_own.size()) +
                        in.halo().memory_bytes() + out.halo().memory_bytes();
    const auto* bottom = cycle.hierarchy.bottom();
    levels = cycle.hierarchy.num_steps() +
             int(A.row_partition().communicator().max(bottom != nullptr ? double(bottom->num_levels()) : 0.0));
  }
  RankCycle<Real> cycle;
  libsolve::GridPartition from{libsolve::Grid{}};
  libsolve::GridHalo in, out;
  bool is_in_place = true;            // the cycle's finest boxes are those of r and z
  View<Real> r_around, z_around;      // over cycle.box
  View<Real> r_own, z_own;            // over from.own(); empty where in place
  CycleKind kind = CycleKind::v;
  double operator_scale = 1.0;
  double bytes_here = 0.0;
  int levels = 0;

  DotPair run(const Vector& r, double scale, const Vector& z, const Vector* q) override {
    // What goes between ranks goes in Real.
    const libsolve::Box& own = from.own();
    const View<Real> r_in = is_in_place ? r_around : r_own;
    const View<Real> z_out = is_in_place ? z_around : z_own;
    const BoxRows rows(own, own, is_in_place ? cycle.box : own);
    for_cells("multigrid::import", rows.num_rows(),
              ImportRow<Real>{rows, r.data(), scale, r_in.data()});
    in.template fetch<Real>(r_in, r_around);
    cycle.hierarchy.cycle(kind, r_around, z_around);
    if (!is_in_place) out.template fetch<Real>(z_around, z_own);
    const Vector& other = q != nullptr ? *q : r;
    double dots[2] = {0.0, 0.0};
    Kokkos::parallel_reduce(
        "multigrid::export",
        Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<libsolve::Index>>(0, rows.num_rows()),
        ExportRow<Real>{BoxRows(own, is_in_place ? cycle.box : own, own), z_out.data(),
                        1.0 / (scale * operator_scale), z.data(), r.data(), other.data()},
        dots[0], dots[1]);
    r.communicator().sum(dots);
    return {dots[0], q != nullptr ? dots[1] : 0.0};
  }
  double bytes() const override { return bytes_here; }
  int num_levels() const override { return levels; }
};

Multigrid::Multigrid(const Options& options, const libsolve::Context&) : options_(options) {}

Multigrid::Multigrid(Multigrid&&) noexcept = default;
Multigrid::~Multigrid() = default;

void Multigrid::setup(const libsolve::LinearSystem& system) {
  const auto A = libsolve::stencil_for(system.shared_A());
  if (A == nullptr)
    throw libsolve::Unsupported(
        "multigrid needs an operator on a structured grid (StencilOperator), got: " +
        system.A().description() + "; use ic0 or another preconditioner for matrices");
  Survey survey(*A, options_.semi_coarsening);
  setup(survey);
}

void Multigrid::setup(Survey& survey) {
  const libsolve::StencilOperator* A = &survey.A();
  cycle_.reset();

  int axes = 0;
  for (const auto n : A->grid().cells)
    if (n > 1) ++axes;
  HierarchyOptions h;
  h.smoothing.pre_sweeps = options_.pre_sweeps;
  h.smoothing.post_sweeps = options_.post_sweeps;
  h.smoothing.fused = options_.fused;
  const bool same = options_.order == "same" || (options_.order == "auto" && axes > 1);
  h.smoothing.order = same ? SweepOrder::same : SweepOrder::symmetric;
  h.smoothing.omega = options_.omega.value_or(same ? 1.1 : 1.0);
  h.strength = options_.strength.value_or(0.5);
  h.coarse_size = options_.coarse_size;
  h.semi_coarsening = options_.semi_coarsening;
  symmetric_ = !same && options_.pre_sweeps == options_.post_sweeps;

  if (axes == 1 && options_.precision == "float" && A->grid().num_cells() > options_.coarse_size)
    throw libsolve::Unsupported(
        "multigrid was asked for precision = \"float\" on a grid of one axis with " +
        std::to_string(A->grid().num_cells()) +
        " cells: in float its rows sum to 6e-8 of their diagonal instead of 0, more than the "
        "smallest eigenvalues, and the preconditioner turns indefinite; take \"auto\" or "
        "\"double\"");

  krylov_work_ = (A->is_constant() ? cost::krylov_constant : cost::krylov_variable) *
                 double(A->grid().num_cells());
  const CoarseningChoice choice = survey.choice();
  std::string precision = options_.precision;
  std::string why;
  if (precision == "auto") {
    const bool wide = choice.largest_coupling > widest_float_range(axes) * choice.smallest_coupling;
    precision = wide ? "double" : "float";
    if (wide && axes > 1)
      why = " (couplings from " + libsolve::format_number(choice.smallest_coupling) + " to " +
            libsolve::format_number(choice.largest_coupling) + " are too far apart for float)";
  }

  const bool over_ranks = A->row_partition().communicator().size() > 1;
  const auto build = [&](auto real) {
    using Real = decltype(real);
    Coarsening coarsening = Coarsening::piecewise_constant;
    if (options_.coarsening == "auto") coarsening = survey.coarsening();
    for (const Coarsening c : {Coarsening::piecewise_constant, Coarsening::operator_dependent,
                               Coarsening::connected_pieces, Coarsening::aligned})
      if (options_.coarsening == to_text(c)) coarsening = c;
    // A direct solve needs no coarse grids of any kind, and its dot products are sums in double:
    // with an M this near to A^-1 conjugate gradients would magnify the rounding of float sums.
    if (A->grid().num_cells() <= options_.coarse_size) coarsening = Coarsening::piecewise_constant;
    const double operator_scale = power_of_two_near(choice.largest_coupling);
    std::string kind = options_.cycle;
    if (kind == "auto")
      kind = A->is_constant() && coarsening == Coarsening::piecewise_constant ? "V" : "W";
    const CycleKind cycle_kind = kind == "V"   ? CycleKind::v
                                 : kind == "W" ? CycleKind::w
                                               : CycleKind::f;
    const GridSmoothing smoothing{h.smoothing.pre_sweeps, h.smoothing.post_sweeps,
                                  h.smoothing.omega, !same};
    const BoxOptions box{smoothing, options_.semi_coarsening, std::min(80, options_.coarse_size)};
    const PieceOptions pieces{0.1, options_.semi_coarsening, options_.coarse_size};
    // The eight colours of these levels reach further than the cells around: near to cuts M is not
    // its own transpose.
    if (over_ranks && coarsening == Coarsening::operator_dependent) symmetric_ = false;
    if (coarsening == Coarsening::aligned && A->is_constant())
      coarsening = Coarsening::piecewise_constant;
    if (over_ranks && coarsening == Coarsening::aligned)
      throw libsolve::Unsupported(
          "multigrid has coarsening = \"aligned\" on one rank only, this is one of " +
          std::to_string(A->row_partition().communicator().size()) +
          "; take \"auto\"");
    if (over_ranks) {
      auto cycle = std::make_unique<CycleOverRanks<Real>>(
          *A, coarsening == Coarsening::piecewise_constant
                  ? build_rank_hierarchy<Real>(*A, choice, h)
              : coarsening == Coarsening::operator_dependent
                  ? build_rank_box_hierarchy<Real>(*A, choice, box)
                  : build_rank_pieces_hierarchy<Real>(*A, choice, pieces, smoothing));
      cycle->kind = cycle_kind;
      cycle->operator_scale = operator_scale;
      cycle_ = std::move(cycle);
    } else {
      auto cycle = std::make_unique<CycleOf<Real>>();
      cycle->kind = cycle_kind;
      cycle->operator_scale = operator_scale;
      const auto finest = [&] { return finest_operator<Real>(*A, choice.largest_coupling).op; };
      switch (coarsening) {
        case Coarsening::piecewise_constant:
          cycle->hierarchy = build_hierarchy<Real>(finest(), h);
          break;
        case Coarsening::aligned:
          cycle->hierarchy = build_aligned_hierarchy<Real>(finest(), h, box, survey.cuts());
          break;
        case Coarsening::operator_dependent:
          // variable coefficients go into the levels without a copy in between
          cycle->hierarchy =
              A->is_constant()
                  ? build_box_hierarchy<Real>(finest(), box)
                  : build_box_hierarchy<Real>(natural_operator(*A), 1.0 / operator_scale, box);
          break;
        case Coarsening::connected_pieces:
          cycle->hierarchy = build_pieces_hierarchy<Real>(finest(), pieces, smoothing);
          break;
      }
      cycle_ = std::move(cycle);
    }
    note_ = "multigrid: " + kind + "(" + std::to_string(options_.pre_sweeps) + "," +
            std::to_string(options_.post_sweeps) + ") cycle in " + precision + why + ", " +
            std::to_string(cycle_->num_levels()) + " levels, coarsening " + to_text(coarsening) +
            ", order " + (same ? "same" : "symmetric") + ", omega " +
            libsolve::Value(h.smoothing.omega).to_text();
    if (over_ranks && coarsening == Coarsening::connected_pieces)
      note_ += ", on one rank: levels of pieces are not cut";
  };
  if (precision == "float")
    build(float{});
  else
    build(double{});
}

void Multigrid::apply(const Vector& r, const Vector& z) {
  apply_with_dots(r, z, nullptr);
}

DotPair Multigrid::apply_with_dots(const Vector& r, const Vector& z, const Vector* q) {
  // The scale has to keep float from overflow and underflow, nothing more: a sample of r will do. A
  // power of two changes no digit, so it does not matter which.
  double largest = largest_magnitude(r, 4096);
  if (!usable(largest)) largest = libsolve::norm_max(r);
  if (largest == 0.0) {
    libsolve::fill(z, 0.0);
    return {};
  }
  if (!std::isfinite(largest)) largest = 1.0;
  DotPair dots = cycle_->run(r, std::ldexp(1.0, -std::ilogb(largest)), z, q);
  if (!std::isfinite(dots.xy)) {
    const double all = libsolve::norm_max(r);
    if (usable(all) && std::ilogb(all) != std::ilogb(largest))
      dots = cycle_->run(r, std::ldexp(1.0, -std::ilogb(all)), z, q);
  }
  return dots;
}

Work Multigrid::work() const {
  Work sum = cycle_ ? cycle_->work() : Work{};
  if (sum.visit > 0) sum.visit += krylov_work_;
  return sum;
}

double Multigrid::memory_bytes() const {
  return cycle_ ? cycle_->bytes() : 0.0;
}

std::vector<libsolve::Measure> Multigrid::metrics() const {
  if (!cycle_) return {};
  return {{"levels", static_cast<double>(cycle_->num_levels()), ""}};
}

}  // namespace multigrid

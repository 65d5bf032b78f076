#include <functional>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/pde/log_diffusion.hpp>
#include <libsolve/pde/q1_control_operator.hpp>
#include <libsolve/pde/q1_diffusion.hpp>
#include <libsolve/pde/q1_operator.hpp>

#include "bench.hpp"

namespace bench {

namespace {

using libsolve::StencilOperator;
using libsolve::Vector;
using libsolve::VectorView;

/// Best of several timings, each beside its own triad.
KernelRow measure(const Settings& settings, const Triad& triad, const std::string& name,
                  const std::string& size, double unknowns, double doubles, double bar,
                  const std::function<void()>& kernel) {
  KernelRow row{.name = name, .size = size, .doubles = doubles, .bar = bar};
  kernel();
  for (int r = 0; r < settings.repeat; ++r) {
    const double before = triad.seconds_per_double(3);
    double best = 1e300;
    for (int k = 0; k < 5; ++k) {
      const double start = now(settings.clock);
      kernel();
      Kokkos::fence("bench::kernel");
      best = std::min(best, now(settings.clock) - start);
    }
    const double after = triad.seconds_per_double(3);
    const double seconds = best / unknowns;
    const double fraction = doubles * 0.5 * (before + after) / seconds;
    if (fraction > row.fraction) {
      row.fraction = fraction;
      row.seconds_per_unknown = seconds;
    }
  }
  print(row);
  return row;
}

StencilOperator make_stencil(Index n, bool constant) {
  libsolve::Grid grid;
  grid.cells = {n, n, n};
  if (constant) {
    StencilOperator::Constant c;
    c.coupling = {1.0, 1.0, 1.0};
    c.wall = {{{2.0, 2.0}, {2.0, 2.0}, {2.0, 2.0}}};
    return StencilOperator(grid, c);
  }
  const auto cells = static_cast<size_t>(grid.num_cells());
  StencilOperator::Variable v;
  for (auto& face : v.face) face = libsolve::zero_array<double>("bench::face", cells);
  v.excess = libsolve::zero_array<double>("bench::excess", cells);
  Kokkos::deep_copy(v.excess, 1.0);
  return StencilOperator(grid, v);
}

/// The Laplacian of a random graph, plus a little: every row is joined to `edges` others drawn from
/// all, so that it has 2 edges + 1 entries on average, with no order in their columns.
std::shared_ptr<libsolve::CsrMatrix> make_graph_laplacian(Index n, double edges) {
  const libsolve::RandomStream stream(1, "bench::graph");
  std::vector<libsolve::MatrixEntry> entries;
  entries.reserve(static_cast<size_t>((2.0 * edges + 1.0) * n));
  std::vector<double> diagonal(static_cast<size_t>(n), 1e-3);
  const auto num_edges = static_cast<std::uint64_t>(edges * n);
  for (std::uint64_t e = 0; e < num_edges; ++e) {
    const auto i = static_cast<Index>(e % static_cast<std::uint64_t>(n));
    const auto j = static_cast<Index>(stream.uniform(2 * e, 0.0, n));
    const double weight = stream.uniform(2 * e + 1, 0.5, 1.5);
    if (i == j) continue;
    entries.push_back({i, j, -weight});
    entries.push_back({j, i, -weight});
    diagonal[static_cast<size_t>(i)] += weight;
    diagonal[static_cast<size_t>(j)] += weight;
  }
  for (Index i = 0; i < n; ++i) entries.push_back({i, i, diagonal[static_cast<size_t>(i)]});
  return libsolve::make_csr_matrix(n, n, entries);
}

std::string size_of(const libsolve::NodeGrid& nodes) {
  return std::to_string(nodes.cells(0)) + "^" + std::to_string(nodes.dimension());
}

/// A(m) and its derivatives, m and all functions read once, results written once.
void measure_log_diffusion(const Settings& settings, const Triad& triad,
                           std::vector<KernelRow>& rows) {
  constexpr Index n = 256;
  libsolve::LogDiffusion A(3, n, libsolve::LogDiffusion::Walls::fixed);
  const auto cells = static_cast<std::size_t>(A.num_cells());
  const VectorView v = libsolve::zero_array<double>("bench::v", cells),
                   g = libsolve::zero_array<double>("bench::g", cells);
  A.set_parameter(v);
  Kokkos::deep_copy(v, 1.0);
  for (const int functions : {1, 6}) {
    const auto all = cells * static_cast<std::size_t>(functions);
    const VectorView y = libsolve::zero_array<double>("bench::y", all),
                     out = libsolve::zero_array<double>("bench::out", all);
    Kokkos::deep_copy(y, 1.0);
    const auto add = [&](const char* name, double doubles, const std::function<void()>& kernel) {
      rows.push_back(measure(settings, triad,
                             "log-diffusion, " + std::to_string(functions) + " functions: " + name,
                             std::to_string(n) + "^3", static_cast<double>(cells),
                             doubles + 2.0 * functions, 0.0, kernel));
    };
    add("A(m) y", 1.0, [&] { A.apply(y, out); });
    add("(dA v) y", 2.0, [&] { A.apply_derivative(v, y, out); });
    add("d(p^T A y)/dm", 2.0, [&] { A.gradient(y, out, g); });
    add("d^2(p^T A y)/dm^2 v", 3.0, [&] { A.second_derivative(v, y, out, g); });
  }
}

/// Operators of libsolve/pde: what they must read and write, neither more nor less.
void measure_pde(const Settings& settings, const Triad& triad, std::vector<KernelRow>& rows) {
  const auto add = [&](const std::string& name, const std::string& size, double doubles,
                       const libsolve::LinearOperator& A, double nodes) {
    const Vector x("bench::x", A.row_partition());
    const Vector y = x.like("bench::y");
    libsolve::fill(x, 1.0);
    rows.push_back(measure(settings, triad, name + ": y = A x", size, nodes, doubles, 0.0,
                           [&] { A.apply(x, y); }));
  };
  for (const int dimension : {2, 3}) {
    const Index n = dimension == 2 ? 4096 : 256;
    const libsolve::NodeGrid nodes(dimension, {n, n, dimension == 3 ? n : 1}, {1.0, 1.0, 1.0});
    const double count = static_cast<double>(nodes.rows().num_nodes());
    const std::string size = size_of(nodes);
    add("Q1, constant", size, 2, libsolve::Q1Operator(nodes, libsolve::q1_stiffness(nodes)), count);
    add("Q1, conditions of control", size, 4, libsolve::Q1ControlOperator(nodes, 1e-4), count);
    const Vector a("bench::a", libsolve::Q1Diffusion::cell_partition(nodes));
    libsolve::fill(a, 1.0);
    const libsolve::Q1Diffusion diffusion(nodes, a);
    add("Q1, a coefficient a cell", size, 3, diffusion, count);
    const Vector v("bench::v", nodes.partition()), w = v.like("bench::w"), g = a.like("bench::g");
    libsolve::fill(v, 1.0);
    libsolve::fill(w, 1.0);
    rows.push_back(measure(settings, triad, "Q1, a coefficient a cell: d(w^T A v)/da", size, count,
                           3, 0.0, [&] { diffusion.coefficient_gradient(v, w, g); }));
  }
  measure_log_diffusion(settings, triad, rows);
}

}  // namespace

std::vector<KernelRow> run_kernels(const Settings& settings, const Triad& triad) {
  std::vector<KernelRow> rows;
  print_header(rows);
  double sink = 0.0;
  {
    const Index n = Triad::default_size;
    const libsolve::Partition partition(n);
    const Vector x("bench::x", partition), y("bench::y", partition), z("bench::z", partition),
        w("bench::w", partition);
    for (const Vector* v : {&x, &y, &z, &w}) libsolve::fill(*v, 1.0);
    const auto add = [&](const char* name, double doubles, const std::function<void()>& kernel) {
      rows.push_back(measure(settings, triad, name, std::to_string(n), n, doubles, 0.85, kernel));
    };
    add("axpy: y += a x", 3, [&] { libsolve::axpy(1e-3, x, y); });
    add("dot: x.y", 2, [&] { sink += libsolve::dot(x, y); });
    add("dot2: x.y, x.z", 3, [&] { sink += libsolve::dot2(x, y, z).xz; });
    add("norm2", 1, [&] { sink += libsolve::norm2(x); });
    add("linear_combination: z = a x + b y", 3,
        [&] { libsolve::linear_combination(0.5, x, 0.5, y, z); });
    add("axpy_norm2: y += a x, y.y", 3, [&] { sink += libsolve::axpy_norm2_squared(1e-3, x, y); });
    add("cg_update: x += a p, r -= a q, r.r", 6,
        [&] { sink += libsolve::cg_update(1e-6, x, y, z, w); });
  }
  for (const bool constant : {true, false}) {
    constexpr Index n = 256;
    const StencilOperator A = make_stencil(n, constant);
    const Vector x("bench::x", A.row_partition());
    const Vector y = x.like("bench::y"), z = x.like("bench::z"), p = x.like("bench::p");
    libsolve::fill(x, 1.0);
    libsolve::fill(z, 1.0);
    libsolve::fill(p, 1.0);
    const double cells = static_cast<double>(A.num_rows());
    const double matrix = constant ? 0.0 : 4.0;
    const std::string kind = constant ? "constant" : "variable";
    const auto add = [&](const std::string& name, double doubles,
                         const std::function<void()>& kernel) {
      rows.push_back(measure(settings, triad, "stencil, " + kind + ": " + name, "256^3", cells,
                             matrix + doubles, 0.85, kernel));
    };
    add("y = A x", 2, [&] { A.apply(x, y); });
    add("y = A x, x.y", 2, [&] { sink += A.apply_dot(x, y); });
    add("r = b - A x, r.r", 3, [&] { sink += A.residual(z, x, y); });
    add("p = z + b p, q = A p, p.q", 4,
        [&] { sink += A.update_direction_and_apply(z, 0.5, p, y); });
  }
  const auto add_product = [&](const std::string& name, const std::string& size, double bar,
                               const libsolve::CsrMatrix& A) {
    const Vector x("bench::x", A.row_partition());
    const Vector y = x.like("bench::y");
    libsolve::fill(x, 1.0);
    // CSR convention: 12 bytes an entry, 8 for the row pointer, x and y once.
    const auto n = static_cast<double>(A.num_rows());
    rows.push_back(measure(settings, triad, "SpMV, " + name + ": y = A x", size, n,
                           A.bytes_per_apply() / 8.0 / n, bar, [&] { A.apply(x, y); }));
  };
  add_product("7-point CSR", "128^3", 0.70, *make_stencil(128, true).assemble());
  // No bar: x is gathered from all over memory, which the convention above does not count.
  add_product("random graph", "1e6", 0.0, *make_graph_laplacian(1'000'000, 7.5));
  measure_pde(settings, triad, rows);
  if (sink == 12345.678) rows.clear();  // keeps the sums
  return rows;
}

}  // namespace bench

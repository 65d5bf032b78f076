#include "contract_support.hpp"

#include <libsolve/pde/q1_control_operator.hpp>

#include <algorithm>
#include <libsolve/core/random.hpp>
#include <mutex>

namespace libsolve::test {

const Registry& all_plugins() {
  // Never destroyed: plugins are not unloaded, and nothing may run after main.
  static const Registry* registry = [] {
    auto* r = new Registry;
    load_plugins(*r, {.files = {}, .path = std::string(), .installed_folder = std::nullopt});
    return r;
  }();
  return *registry;
}

std::vector<std::string> names_of(std::string_view kind) {
  return all_plugins().names(kind);
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// ---- systems
// --------------------------------------------------------------------------------------

namespace {

std::vector<double> residual_of(const TestSystem& t) {
  std::vector<double> r = to_host(t.system->b());
  const std::vector<double> x = to_host(t.system->x());
  for (const MatrixEntry& e : t.entries) r[e.row] -= e.value * x[e.column];
  return r;
}

TestSystem five_point(Index nx, Index ny, Form form, double anisotropy, double wall, double shift) {
  TestSystem t;
  const Index n = nx * ny;
  std::vector<double> excess(static_cast<std::size_t>(n), shift);
  std::vector<double> face_x(excess.size(), 0.0), face_y(excess.size(), 0.0);
  for (Index j = 0; j < ny; ++j)
    for (Index i = 0; i < nx; ++i) {
      const Index c = i + nx * j;
      double diagonal = shift;
      const auto couple = [&](bool inside, Index other, double T) {
        if (inside)
          t.entries.push_back({c, other, -T});
        else
          excess[c] += wall * T;
        diagonal += inside ? T : wall * T;
      };
      couple(i > 0, c - 1, 1.0);
      couple(i + 1 < nx, c + 1, 1.0);
      couple(j > 0, c - nx, anisotropy);
      couple(j + 1 < ny, c + nx, anisotropy);
      t.entries.push_back({c, c, diagonal});
      face_x[c] = i + 1 < nx ? 1.0 : 0.0;
      face_y[c] = j + 1 < ny ? anisotropy : 0.0;
    }
  Grid grid;
  grid.dimension = 2;
  grid.cells = {nx, ny, 1};
  std::shared_ptr<const LinearOperator> A;
  if (form == Form::matrix) {
    A = make_csr_matrix(n, n, t.entries);
  } else if (form == Form::constant_stencil) {
    StencilOperator::Constant c;
    c.coupling = {1.0, anisotropy, 0.0};
    c.wall = {{{wall, wall}, {wall * anisotropy, wall * anisotropy}, {0.0, 0.0}}};
    c.shift = shift;
    A = std::make_shared<StencilOperator>(grid, c);
  } else {
    StencilOperator::Variable v;
    v.face = {to_vector(face_x).view(), to_vector(face_y).view(), VectorView()};
    v.excess = to_vector(excess).view();
    A = std::make_shared<StencilOperator>(grid, v);
  }
  const char* forms[] = {"matrix", "constant stencil", "variable stencil"};
  t.label = std::string(forms[static_cast<int>(form)]) + ", " + std::to_string(nx) + " x " +
            std::to_string(ny);
  const Vector b("test::b", A->row_partition());
  t.system = std::make_unique<LinearSystem>(A, b, b.like("test::x"));
  if (form != Form::matrix) t.system->grid = grid;
  return t;
}

}  // namespace

double TestSystem::b_norm() const {
  return norm_of(to_host(system->b()));
}
double TestSystem::residual_norm() const {
  return norm_of(residual_of(*this));
}

TestSystem diffusion(Index nx, Index ny, Form form, double anisotropy, double shift) {
  return five_point(nx, ny, form, anisotropy, 2.0, shift);
}

TestSystem neumann(Index nx, Index ny, Form form) {
  TestSystem t = five_point(nx, ny, form, 1.0, 0.0, 0.0);
  t.label += ", Neumann";
  t.system->null_space = NullSpace::constants(t.A().row_partition());
  return t;
}

TestSystem convection_diffusion(Index nx, Index ny) {
  TestSystem t;
  const Index n = nx * ny;
  for (Index j = 0; j < ny; ++j)
    for (Index i = 0; i < nx; ++i) {
      const Index c = i + nx * j;
      t.entries.push_back({c, c, 5.0 + 0.5});
      if (i > 0) t.entries.push_back({c, c - 1, -2.0});  // upwind
      if (i + 1 < nx) t.entries.push_back({c, c + 1, -1.0});
      if (j > 0) t.entries.push_back({c, c - nx, -1.0});
      if (j + 1 < ny) t.entries.push_back({c, c + nx, -1.0});
    }
  const auto A = make_csr_matrix(n, n, t.entries);
  t.label = "unsymmetric matrix";
  const Vector b("test::b", A->row_partition());
  t.system = std::make_unique<LinearSystem>(A, b, b.like("test::x"));
  return t;
}

TestSystem control_conditions(Index cells, double alpha) {
  TestSystem t;
  const auto A =
      std::make_shared<Q1ControlOperator>(NodeGrid(2, {cells, cells, 1}, {1.0, 1.0, 1.0}), alpha);
  const Vector b("test::b", A->row_partition());
  const Vector column = b.like("test::column");
  std::vector<double> e(static_cast<std::size_t>(b.local_size()), 0.0);
  for (Index j = 0; j < b.local_size(); ++j) {
    e[static_cast<std::size_t>(j)] = 1.0;
    A->apply(to_vector(e), column);
    e[static_cast<std::size_t>(j)] = 0.0;
    const std::vector<double> values = to_host(column);
    for (Index i = 0; i < b.local_size(); ++i)
      if (const double a = values[static_cast<std::size_t>(i)]; a != 0.0)
        t.entries.push_back({i, j, a});
  }
  t.label = "control conditions";
  t.system = std::make_unique<LinearSystem>(A, b, b.like("test::x"));
  return t;
}

std::vector<double> random_numbers(Index n, std::uint64_t seed) {
  const RandomStream stream(seed, "contract");
  std::vector<double> v(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) v[i] = stream.normal(static_cast<std::uint64_t>(i));
  return v;
}

double dot_of(const std::vector<double>& u, const std::vector<double>& v) {
  double sum = 0.0;
  for (std::size_t i = 0; i < u.size(); ++i) sum += u[i] * v[i];
  return sum;
}

double norm_of(const std::vector<double>& v) {
  return std::sqrt(dot_of(v, v));
}

void randomise(TestSystem& t, std::uint64_t seed, bool initial_guess) {
  assign(t.system->b(), random_numbers(t.system->b().local_size(), seed));
  if (initial_guess) assign(t.system->x(), random_numbers(t.system->x().local_size(), seed + 1000));
}

void make_consistent(TestSystem& t, std::uint64_t seed) {
  const std::vector<double> x = random_numbers(t.system->x().local_size(), seed);
  std::vector<double> b(static_cast<std::size_t>(t.system->b().local_size()), 0.0);
  for (const MatrixEntry& e : t.entries) b[e.row] += e.value * x[e.column];
  assign(t.system->b(), b);
  t.system->exact_solution = to_vector(x);
}

// ---- allocations
// ----------------------------------------------------------------------------------

namespace {
std::mutex allocation_mutex;
bool counting = false;
int num_allocations = 0;
std::string last_label;

void count_allocation(Kokkos::Tools::SpaceHandle, const char* label, const void*, std::uint64_t) {
  const std::lock_guard lock(allocation_mutex);
  if (!counting) return;
  ++num_allocations;
  last_label = label;
}
}  // namespace

AllocationCounter::AllocationCounter() {
  Kokkos::Tools::Experimental::set_allocate_data_callback(count_allocation);
}
AllocationCounter::~AllocationCounter() {
  counting = false;
  Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
}
void AllocationCounter::start() {
  const std::lock_guard lock(allocation_mutex);
  num_allocations = 0;
  counting = true;
}
int AllocationCounter::stop(std::string* label) {
  const std::lock_guard lock(allocation_mutex);
  counting = false;
  if (label != nullptr && num_allocations > 0) *label = last_label;
  return num_allocations;
}

/// The counter counts: a test of the test.
TEST(ContractSupport, CountsAllocations) {
  AllocationCounter counter;
  counter.start();
  const Vector v("contract::counted", Partition(10));
  std::string label;
  EXPECT_EQ(counter.stop(&label), 1);
  EXPECT_EQ(label, "contract::counted");
}

/// An empty folder would let every suite pass.
TEST(ContractSupport, FindsThePlugins) {
  EXPECT_FALSE(names_of(LinearSolver::kind).empty())
      << "no linear solver in " << installed_plugin_folder();
}

/// Matrix and stencils are the same operator: A x from the entries and from each form.
TEST(ContractSupport, FormsOfASystemAgree) {
  for (const Form form : {Form::matrix, Form::constant_stencil, Form::variable_stencil}) {
    TestSystem t = diffusion(7, 5, form, 0.1, 0.3);
    make_consistent(t, 1);
    assign(t.system->x(), to_host(*t.system->exact_solution));
    const double norm =
        std::sqrt(t.A().residual(t.system->b(), t.system->x(), t.system->b().like("r")));
    EXPECT_LT(norm, 1e-13 * t.b_norm()) << t.label;
  }
}

}  // namespace libsolve::test

#include "preconditioners.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/pde/q1_operator.hpp>

namespace pde_control {

namespace {

/// Error of the Chebyshev solves with M: far below that of the cycles.
constexpr double mass_accuracy = 1e-3;

struct CountZeros {
  const double* w;
  KOKKOS_FUNCTION void operator()(Index i, double& count) const {
    count += w[i] == 0.0 ? 1.0 : 0.0;
  }
};

bool has_fixed_controls(const Q1ControlOperator& K) {
  const ConstVectorView& w = K.diagonal_of_W();
  if (w.data() == nullptr) return false;
  const double zeros = reduce_rows<Sums<1>>(ExecSpace(), "pde_control::fixed",
                                            static_cast<Index>(w.extent(0)), CountZeros{w.data()})
                           .value[0];
  return K.grid().communicator().any(zeros > 0.0);
}

}  // namespace

BlockOptions::BlockOptions() = default;

void ControlPreconditioner::setup(const LinearSystem& system) {
  const auto* K = dynamic_cast<const Q1ControlOperator*>(&system.A());
  if (K == nullptr)
    throw Unsupported("preconditioner '" + name_ +
                      "' is for the conditions of optimality of a "
                      "control problem (full-space-krylov on 'poisson-control'), not for " +
                      system.A().description());
  if (!takes_fixed_controls() && has_fixed_controls(*K))
    throw Unsupported("preconditioner '" + name_ +
                      "' takes no fixed controls; 'collective-multigrid' does");
  prepare(*K);
}

std::vector<Measure> ControlPreconditioner::metrics() const {
  return {{"levels", static_cast<double>(num_levels())},
          {"v_cycles", static_cast<double>(v_cycles())},
          {"collective_v_cycles", static_cast<double>(collective_v_cycles())}};
}

void CollectiveMultigrid::prepare(const Q1ControlOperator& K) {
  CycleProblem problem;
  problem.grid = K.grid();
  problem.stiffness = std::sqrt(K.control_cost());
  problem.diagonal = K.diagonal_of_W();
  const std::int64_t before = cycle_ == nullptr ? 0 : cycle_->num_cycles;
  cycle_ = std::make_unique<Cycle<2>>(problem, options_);
  cycle_->num_cycles = before;
}

double CollectiveMultigrid::memory_bytes() const {
  return cycle_ == nullptr ? 0.0 : cycle_->memory_bytes();
}
std::int64_t CollectiveMultigrid::collective_v_cycles() const {
  return cycle_ == nullptr ? 0 : cycle_->num_cycles;
}

BlockPreconditioner::BlockPreconditioner(std::string name, const Options& options,
                                         const Context& context)
    : ControlPreconditioner(std::move(name)), options_(options) {
  if (options.solver.name != "none") solver_ = context.make<LinearSolver>(options.solver);
}

void BlockPreconditioner::prepare(const Q1ControlOperator& K) {
  grid_ = K.grid();
  const double s = std::sqrt(K.control_cost());
  if (solver_ == nullptr) {
    CycleProblem problem;
    problem.grid = grid_;
    problem.stiffness = s;
    const std::int64_t before = v_cycles();
    cycle_ = std::make_unique<Cycle<1>>(problem, options_);
    cycle_->num_cycles = before;
  }
  const Q1Weights M = q1_mass(grid_), S = s * q1_stiffness(grid_);
  M_ = std::make_shared<Q1Operator>(grid_, M);
  S_ = std::make_shared<Q1Operator>(grid_, S);
  H_ = std::make_shared<Q1Operator>(grid_, M + S);
  mass_diagonal_ = M.centre();
  for (Vector* v : {&scratch_[0], &scratch_[1], &residual_, &correction_, &step_})
    *v = Vector("pde_control::scratch", grid_.partition());
  if (solver_ == nullptr) return;
  LinearSystem system(H_, residual_, correction_);
  system.grid = grid_.as_cells();
  solver_->setup(system);
}

std::vector<Measure> BlockPreconditioner::metrics() const {
  if (solver_ == nullptr) return ControlPreconditioner::metrics();
  return {{"inner_solves", static_cast<double>(inner_solves_)},
          {"inner_iterations", static_cast<double>(inner_iterations_)},
          {"inner_failures", static_cast<double>(inner_failures_)}};
}

double BlockPreconditioner::memory_bytes() const {
  if (M_ == nullptr) return 0.0;
  return (cycle_ == nullptr ? 0.0 : cycle_->memory_bytes()) + M_->memory_bytes() +
         S_->memory_bytes() + H_->memory_bytes() +
         5.0 * sizeof(double) * static_cast<double>(grid_.rows().num_nodes());
}

Vector BlockPreconditioner::part(const Vector& v, int which) const {
  const auto n = static_cast<std::size_t>(grid_.partition().local_size());
  const auto begin = static_cast<std::size_t>(which) * n;
  return {VectorView(Kokkos::subview(v.view(), std::make_pair(begin, begin + n))),
          grid_.partition()};
}

void BlockPreconditioner::solve_H(const Vector& f, const Vector& v) {
  if (solver_ != nullptr) {
    fill(v, 0.0);
    LinearSystem system(H_, f, v);
    const Report report = solver_->solve(system, Monitor::none());
    ++inner_solves_;
    inner_iterations_ += report.iterations;
    inner_failures_ += report.converged() ? 0 : 1;
    return;
  }
  cycle_->apply(f, v);
  for (int cycle = 1; cycle < options_.cycles; ++cycle) {
    H_->residual(f, v, residual_);
    cycle_->apply(residual_, correction_);
    axpy(1.0, correction_, v);
  }
}

void BlockPreconditioner::solve_M(const Vector& f, const Vector& v) {
  double low = 1.0, high = 1.0;
  for (int a = 0; a < grid_.dimension(); ++a) {
    low *= 0.5;
    high *= 1.5;
  }
  const double middle = 0.5 * (high + low), reach = 0.5 * (high - low);
  const double root = std::sqrt(high / low);
  const int steps = static_cast<int>(
      std::ceil(std::log(2.0 / mass_accuracy) / std::log((root + 1.0) / (root - 1.0))));
  // Chebyshev's semi-iteration (Golub, Varga 1961) for D^-1 M v = D^-1 f from v = 0.
  fill(v, 0.0);
  copy(f, residual_);
  double rho = reach / middle;
  axpby(1.0 / (middle * mass_diagonal_), residual_, 0.0, step_);
  for (int k = 0; k < steps; ++k) {
    axpy(1.0, step_, v);
    M_->apply(step_, correction_);
    axpy(-1.0, correction_, residual_);
    const double next = 1.0 / (2.0 * middle / reach - rho);
    axpby(2.0 * next / (reach * mass_diagonal_), residual_, next * rho, step_);
    rho = next;
  }
}

void Presb::apply(const Vector& r, const Vector& z) {
  const Vector f = part(r, 0), g = part(r, 1), y = part(z, 0), q = part(z, 1);
  linear_combination(1.0, f, 1.0, g, scratch(0));
  solve_H(scratch(0), q);  // v
  apply_S(q, scratch(0));
  axpy(1.0, f, scratch(0));
  solve_H(scratch(0), y);
  axpby(1.0, y, -1.0, q);
}

void PearsonWathen::apply(const Vector& r, const Vector& z) {
  solve_M(part(r, 0), part(z, 0));
  const Vector q = part(z, 1);
  solve_H(part(r, 1), q);
  apply_M(q, scratch(0));
  solve_H(scratch(0), q);
}

void Zulehner::apply(const Vector& r, const Vector& z) {
  for (int which : {0, 1}) solve_H(part(r, which), part(z, which));
}

}  // namespace pde_control

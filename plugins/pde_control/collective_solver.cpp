#include "collective_solver.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/vector_kernels.hpp>

namespace pde_control {

namespace {

CycleProblem problem_of(const Q1ControlOperator& K) {
  CycleProblem problem;
  problem.grid = K.grid();
  problem.stiffness = std::sqrt(K.control_cost());
  problem.diagonal = K.diagonal_of_W();
  return problem;
}

}  // namespace

CollectiveSolver::CollectiveSolver(std::shared_ptr<Q1ControlOperator> K, const Settings& settings)
    : K_(std::move(K)), settings_(settings), cycle_(problem_of(*K_), settings.cycle) {}
CollectiveSolver::~CollectiveSolver() = default;

void CollectiveSolver::reset(std::shared_ptr<Q1ControlOperator> K) {
  K_ = std::move(K);
  cycle_.set(std::sqrt(K_->control_cost()), K_->diagonal_of_W());
  ++setups_;
}

void CollectiveSolver::step(const Vector& x, const Vector& r, bool nested) {
  const std::size_t place = num_directions_ % kept;
  if (place >= directions_.size())
    directions_.push_back({x.like("pde_control::z"), x.like("pde_control::Kz")});
  const Direction& now = directions_[place];
  if (nested)
    cycle_.apply_nested(r, now.z);
  else
    cycle_.apply(r, now.z);
  K_->apply(now.z, now.Kz);
  double length = 1.0;
  if (settings_.accelerated) {
    const std::size_t others = std::min(num_directions_, kept - 1);
    for (std::size_t k = 1; k <= others; ++k) {
      const Direction& before = directions_[(num_directions_ - k) % kept];
      const double part = dot(now.Kz, before.Kz);
      axpy(-part, before.Kz, now.Kz);
      axpy(-part, before.z, now.z);
    }
    const double norm = norm2(now.Kz);
    if (norm > 0.0) {
      scale(1.0 / norm, now.Kz);
      scale(1.0 / norm, now.z);
    }
    length = dot(r, now.Kz);
    ++num_directions_;
  }
  axpy(length, now.z, x);
  residual_norm_ = std::sqrt(axpy_norm2_squared(-length, now.Kz, r));
}

CollectiveSolver::End CollectiveSolver::solve(const Vector& x, const Vector& r, double tolerance,
                                              bool nested, const Watch& watch) {
  num_directions_ = 0;
  residual_norm_ = norm2(r);
  double before = residual_norm_;
  for (std::int64_t step_number = 0;; ++step_number) {
    if (!std::isfinite(residual_norm_)) return End::non_finite;
    if (!watch(step_number, residual_norm_)) return End::stopped;
    if (residual_norm_ <= tolerance) return End::solved;
    if (step_number >= settings_.max_iterations) return End::limit;
    // Cycles in float take off a factor each; none is left once rounding in double is reached.
    if (step_number % 10 == 9) {
      if (residual_norm_ > 0.5 * before) return End::stagnated;
      before = residual_norm_;
    }
    step(x, r, nested && step_number == 0);
    ++iterations_;
  }
}

double CollectiveSolver::memory_bytes() const {
  double doubles = 0.0;
  for (const Direction& d : directions_)
    doubles += static_cast<double>(d.z.local_size()) + static_cast<double>(d.Kz.local_size());
  return sizeof(double) * doubles + cycle_.memory_bytes() + K_->memory_bytes();
}

}  // namespace pde_control

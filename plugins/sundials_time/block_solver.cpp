#include "block_solver.hpp"

#include <cmath>
#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/time_system.hpp>

namespace sundials_time {

namespace {

struct Content {
  Partition block;
  int num_blocks = 1;
  SUNContext context = nullptr;
  Vector like_one;
  sun::NVectorPointer like;
  sun::LinearSolverPointer one;  ///< for a block
  Vector r;                      ///< right-hand side of a solve without an iteration
  sun::NVectorPointer resid;
  N_Vector weights = nullptr;
  bool is_zero_guess = false;
  int num_iterations = 0;
  double residual_norm = 0.0;
  std::int64_t num_solves = 0;
  std::string fault;
};

Content& content(SUNLinearSolver S) {
  return *static_cast<Content*>(S->content);
}

SUNLinearSolver_Type type_of(SUNLinearSolver) {
  return SUNLINEARSOLVER_MATRIX_ITERATIVE;
}
SUNLinearSolver_ID id_of(SUNLinearSolver) {
  return SUNLINEARSOLVER_CUSTOM;
}
int set_scaling(SUNLinearSolver S, N_Vector s1, N_Vector) {
  content(S).weights = s1;
  return 0;
}
int set_zero_guess(SUNLinearSolver S, sunbooleantype is_zero) {
  content(S).is_zero_guess = is_zero != 0;
  return 0;
}
int initialize(SUNLinearSolver S) {
  return SUNLinSolInitialize(content(S).one.get());
}
int setup(SUNLinearSolver S, SUNMatrix A) {
  return SUNLinSolSetup(content(S).one.get(), A);
}

int solve_blocks(Content& c, SUNMatrix A, N_Vector x, N_Vector b, double tolerance) {
  SUNLinearSolver one = c.one.get();
  const Vector &all_x = sun::vector_of(x), &all_b = sun::vector_of(b);
  const double share = tolerance / std::sqrt(static_cast<double>(c.num_blocks));
  const auto part = [&](const Vector& all, int k) {
    return sun::NVectorPointer(sun::make_nvector(block_of(all, c.block, k), c.context));
  };
  c.num_iterations = 0;
  double squared = 0.0;
  for (int k = 0; k < c.num_blocks; ++k) {
    const auto x_k = part(all_x, k), b_k = part(all_b, k);
    sun::NVectorPointer weights;
    if (c.weights != nullptr) weights = part(sun::vector_of(c.weights), k);
    SUNLinSolSetScalingVectors(one, weights.get(), weights.get());
    SUNLinSolSetZeroGuess(one, c.is_zero_guess ? SUNTRUE : SUNFALSE);
    const int code = SUNLinSolSolve(one, A, x_k.get(), b_k.get(), share);
    SUNLinSolSetScalingVectors(one, nullptr, nullptr);
    c.num_iterations += SUNLinSolNumIters(one);
    squared += std::pow(SUNLinSolResNorm(one), 2);
    if (code != 0) return code;
  }
  c.residual_norm = std::sqrt(squared);
  // Integrators take the residual as the solution where there was no iteration.
  if (c.num_iterations == 0) copy(all_b, c.r);
  c.is_zero_guess = false;
  return 0;
}

int solve(SUNLinearSolver S, SUNMatrix A, N_Vector x, N_Vector b, sunrealtype tolerance) noexcept {
  Content& c = content(S);
  ++c.num_solves;
  try {
    c.fault.clear();
    return solve_blocks(c, A, x, b, tolerance);
  } catch (const std::exception& e) {
    c.fault = e.what();
  } catch (...) {
    c.fault = "an exception of unknown type";
  }
  return -1;
}

int num_iterations(SUNLinearSolver S) {
  return content(S).num_iterations;
}
sunrealtype residual_norm(SUNLinearSolver S) {
  return content(S).residual_norm;
}
N_Vector residual(SUNLinearSolver S) {
  return content(S).resid.get();
}
sunindextype last_flag(SUNLinearSolver S) {
  return SUNLinSolLastFlag(content(S).one.get());
}
int free_solver(SUNLinearSolver S) noexcept {
  if (S == nullptr) return 0;
  delete static_cast<Content*>(S->content);
  S->content = nullptr;
  SUNLinSolFreeEmpty(S);
  return 0;
}

}  // namespace

SUNLinearSolver make_block_solver(std::unique_ptr<LinearSolver> method, const Partition& block,
                                  int num_blocks, const Vector& like, SUNContext context) {
  auto c = std::make_unique<Content>();
  c->block = block;
  c->num_blocks = num_blocks;
  c->context = context;
  c->like_one = Vector("sundials_time::block", block);
  c->like.reset(sun::make_nvector(c->like_one, context));
  c->one.reset(sun::make_linear_solver(std::move(method), c->like.get(), context));
  c->r = like.like("sundials_time::residual");
  c->resid.reset(sun::make_nvector(c->r, context));
  SUNLinearSolver S = SUNLinSolNewEmpty(context);
  if (S == nullptr) throw BackendError("SUNLinSolNewEmpty gave no solver");
  S->ops->gettype = type_of;
  S->ops->getid = id_of;
  S->ops->setscalingvectors = set_scaling;
  S->ops->setzeroguess = set_zero_guess;
  S->ops->initialize = initialize;
  S->ops->setup = setup;
  S->ops->solve = solve;
  S->ops->numiters = num_iterations;
  S->ops->resnorm = residual_norm;
  S->ops->resid = residual;
  S->ops->lastflag = last_flag;
  S->ops->free = free_solver;
  S->content = c.release();
  return S;
}

bool is_block_solver(SUNLinearSolver S) noexcept {
  return S->ops->free == free_solver;
}

const std::string& block_solver_reason(SUNLinearSolver S) {
  return content(S).fault.empty() ? sun::reason_of(content(S).one.get()) : content(S).fault;
}

sun::LinearSolverCounts block_solver_counts(SUNLinearSolver S) {
  sun::LinearSolverCounts counts = sun::counts_of(content(S).one.get());
  counts.num_solves = content(S).num_solves;
  return counts;
}

}  // namespace sundials_time

#include <fmt/format.h>

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/plugin/loader.hpp>
#include <libsolve/run/train.hpp>
#include <optional>

#include "app.hpp"

namespace app {

namespace {

/// Products of random vectors may differ by rounding; the reductions behind them add up to this.
constexpr double symmetry_tolerance = 1e-12;

std::unique_ptr<libsolve::Problem> problem_of(const libsolve::Case& c,
                                              const libsolve::Registry& registry) {
  libsolve::Context context;
  context.registry = &registry;
  context.seed = c.run.seed;
  context.base_folder = c.base_folder;
  auto problem = context.make<libsolve::ProblemSource>(c.problem)->create();
  fmt::print("{}: {} unknowns\n", problem->description(), problem->num_unknowns());
  return problem;
}

int check_operator(const libsolve::Case& c, const libsolve::Problem& problem) {
  const auto* system = dynamic_cast<const libsolve::LinearSystem*>(&problem);
  if (system == nullptr) {
    fmt::print("no operator to check in a problem of class {}\n", c.problem_class);
    return 0;
  }
  const libsolve::LinearOperator& A = system->A();
  if (A.num_rows() != A.num_columns()) {
    fmt::print("{}: not square, so not symmetric; nothing to check\n", A.description());
    return 0;
  }
  const double defect = libsolve::symmetry_defect(A, c.run.seed, 3);
  const bool found = defect <= symmetry_tolerance;
  fmt::print("{}: declared {}, |<Ax,y> - <x,Ay>| / (|Ax| |y|) = {:.1e} on random vectors\n",
             A.description(), A.is_symmetric() ? "symmetric" : "not symmetric", defect);
  if (A.is_symmetric() && !found)
    throw libsolve::DataError(
        "the operator is declared symmetric, and random products say that it is "
        "not; correct the declaration, or use a method for unsymmetric ones");
  if (!A.is_symmetric() && found) fmt::print("note: it looks symmetric; cg or minres may do\n");
  return 0;
}

/// Throws DataError for derivatives that disagree with differences.
void check_program(const libsolve::Case& c, const libsolve::NonlinearProgram& program) {
  const libsolve::DerivativeCheck check =
      libsolve::check_derivatives(program, {.seed = c.run.seed});
  for (const libsolve::DerivativeDefect& d : check.kinds)
    fmt::print("{:<9} {:>8} numbers, worst {:.1e} at {}: {:.12g}, by differences {:.12g}{}\n",
               d.kind + ":", d.num_checked, d.relative, d.where, d.given, d.difference,
               d.excess > check.tolerance ? "  WRONG" : "");
  if (check.num_skipped > 0)
    fmt::print("note: {} differences met values that are not finite\n", check.num_skipped);
  if (!check.checked_any())
    throw libsolve::DataError(
        "no derivative could be checked: the functions are not finite at the "
        "start and near it; choose another start");
  if (!check.passed())
    throw libsolve::DataError(
        fmt::format("derivatives disagree with central differences by more than {:g}; correct "
                    "those marked WRONG",
                    check.tolerance));
}

int check_derivatives(const libsolve::Case& c, const libsolve::Problem& problem) {
  if (const auto* program = dynamic_cast<const libsolve::NonlinearProgram*>(&problem)) {
    check_program(c, *program);
  } else if (const auto* bilevel = dynamic_cast<const libsolve::BilevelProgram*>(&problem)) {
    const libsolve::BilevelParts& p = bilevel->parts();
    fmt::print("upper level\n");
    check_program(c, {p.upper, bilevel->variable_bounds(), p.upper_constraints, p.start});
    fmt::print("lower level\n");
    check_program(c, {p.lower, bilevel->variable_bounds(), p.lower_constraints, p.start});
  } else {
    fmt::print("no derivatives to check in a problem of class {}\n", c.problem_class);
  }
  return 0;
}

int check_training(const libsolve::LoadedCase& loaded, const libsolve::Registry& registry,
                   const CheckArguments& arguments) {
  const libsolve::TrainingCase c = libsolve::resolve_training_case(loaded, registry);
  if (arguments.resolved)
    fmt::print("{}", c.record.resolved);
  else
    fmt::print("{}: valid: weights trained by {}, written to {}\n", arguments.case_file,
               c.trainer.name, c.output.file);
  return 0;
}

}  // namespace

int check(const Global& global, const CheckArguments& arguments) {
  std::optional<libsolve::Runtime> runtime;
  libsolve::Registry registry;
  const libsolve::LoadedCase loaded = libsolve::load_case(arguments.case_file, arguments.overrides);
  libsolve::load_plugins(registry, {.files = global.plugins});
  if (libsolve::is_training_case(loaded)) return check_training(loaded, registry, arguments);
  const libsolve::Case c = libsolve::resolve_case(loaded, registry);
  if (arguments.resolved) {
    fmt::print("{}", c.record.resolved);
    return 0;
  }
  fmt::print("{}: valid: {}, solved by {}, results to {}\n", arguments.case_file, c.problem.name,
             c.method.name, c.output.file);
  if (!arguments.check_operator && !arguments.check_derivatives) return 0;
  settle_openmp(nullptr);
  settle_mpi();
  runtime.emplace();
  const auto problem = problem_of(c, registry);
  const int code = arguments.check_operator ? check_operator(c, *problem) : 0;
  return arguments.check_derivatives ? check_derivatives(c, *problem) : code;
}

}  // namespace app

#include "arkode_integrator.hpp"

#include <arkode/arkode_arkstep.h>
#include <arkode/arkode_ls.h>

#include <cmath>
#include <cstdlib>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

namespace sundials_time {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::string text_of(const char* what, int code) {
  char* name = ARKStepGetReturnFlagName(code);
  std::string text = std::string(what) + " returned " + std::to_string(code);
  if (name != nullptr) text += " (" + std::string(name) + ")";
  std::free(name);
  return text;
}

void check(int code, const char* what) {
  if (code < 0) throw BackendError(text_of(what, code));
}

/// Kennedy and Carpenter's methods whose stages are of second order: SUNDIALS' own choices of order 4 and 5
/// in version 6 have stages of first order, and on the heat equation take ten times the steps.
struct Tables {
  const char* implicit_part;
  const char* explicit_part;
};

Tables tables_of(int order, bool is_imex) {
  if (is_imex) {
    if (order == 3) return {"ARKODE_ARK324L2SA_DIRK_4_2_3", "ARKODE_ARK324L2SA_ERK_4_2_3"};
    if (order == 4) return {"ARKODE_ARK437L2SA_DIRK_7_3_4", "ARKODE_ARK437L2SA_ERK_7_3_4"};
    return {"ARKODE_ARK548L2SAb_DIRK_8_4_5", "ARKODE_ARK548L2SAb_ERK_8_4_5"};
  }
  if (order == 3) return {"ARKODE_ESDIRK325L2SA_5_2_3", "ARKODE_ERK_NONE"};
  if (order == 4) return {"ARKODE_ESDIRK437L2SA_7_3_4", "ARKODE_ERK_NONE"};
  return {"ARKODE_ESDIRK547L2SA2_7_4_5", "ARKODE_ERK_NONE"};
}

}  // namespace

// ---- ArkodeRun ----------------------------------------------------------------------------------

ArkodeRun::ArkodeRun(std::shared_ptr<TimeSystem> system, double final_time,
                     const ArkodeOptions& options, const libsolve::Context& setting)
    : final_time_(final_time),
      is_imex_(options.scheme == "imex" && system->is_split()),
      context_(setting.communicator),
      pieces_(std::move(system), options, setting, context_, "sundials_time::y") {
  silence(context_);
  memory_ = is_imex_ ? ARKStepCreate(Pieces::mild_rate, Pieces::stiff_rate, 0.0, pieces_.y(), context_)
                     : ARKStepCreate(nullptr, Pieces::rate, 0.0, pieces_.y(), context_);
  if (memory_ == nullptr) throw BackendError("ARKStepCreate gave no integrator");
#if SUNDIALS_VERSION_MAJOR < 7
  check(ARKStepSetErrFile(memory_, nullptr), "ARKStepSetErrFile");
#endif
  check(ARKStepSetUserData(memory_, &pieces_), "ARKStepSetUserData");
  check(ARKStepSStolerances(memory_, options.relative_tolerance, options.absolute_tolerance),
        "ARKStepSStolerances");
  check(ARKStepSetLinearSolver(memory_, pieces_.solver(), pieces_.matrix()),
        "ARKStepSetLinearSolver");
  check(ARKStepSetJacFn(memory_, Pieces::jacobian), "ARKStepSetJacFn");
  check(ARKStepSetEpsLin(memory_, options.linear_tolerance), "ARKStepSetEpsLin");
  // A stage's rate from its own equation: evaluated, it has the error of the solve times the stiffness.
  check(ARKStepSetDeduceImplicitRhs(memory_, SUNTRUE), "ARKStepSetDeduceImplicitRhs");
  check(ARKStepSetPredictorMethod(memory_, 1), "ARKStepSetPredictorMethod");
  const TimeSystem& what = *pieces_.system();
  if (is_imex_ ? what.stiff_part_is_linear() : what.is_linear())
    check(ARKStepSetLinear(memory_, 1), "ARKStepSetLinear");
  const Tables tables = tables_of(options.order, is_imex_);
  check(ARKStepSetTableName(memory_, tables.implicit_part, tables.explicit_part),
        "ARKStepSetTableName");
  check(ARKStepSetMaxNumSteps(memory_, static_cast<long>(options.max_steps)),
        "ARKStepSetMaxNumSteps");
}

ArkodeRun::~ArkodeRun() {
  ARKStepFree(&memory_);
}

void ArkodeRun::forward(const Vector& y) {
  const sun::LinearSolverCounts before = pieces_.linear_counts();
  const std::int64_t rates = pieces_.num_rates();
  pieces_.clear_fault();
  copy(y, pieces_.vector());
  int code = is_imex_ ? ARKStepReInit(memory_, Pieces::mild_rate, Pieces::stiff_rate, 0.0, pieces_.y())
                      : ARKStepReInit(memory_, nullptr, Pieces::rate, 0.0, pieces_.y());
  if (code >= 0) code = ARKStepSetStopTime(memory_, final_time_);
  sunrealtype t = 0.0;
  if (code >= 0) code = ARKStepEvolve(memory_, final_time_, pieces_.y(), &t, ARK_NORMAL);
  const sun::LinearSolverCounts now = pieces_.linear_counts();
  long steps = 0;
  ARKStepGetNumSteps(memory_, &steps);
  IntegrationCounts taken;
  taken.runs = 1;
  taken.steps = steps;
  taken.rate_evaluations = pieces_.num_rates() - rates;
  taken.newton_iterations = now.num_solves - before.num_solves;
  taken.linear_iterations = now.num_iterations - before.num_iterations;
  taken.linear_setups = now.num_setups - before.num_setups;
  reason_.clear();
  if (code < 0 || !std::isfinite(norm_max(pieces_.vector()))) {
    taken.failures = 1;
    reason_ = code < 0 ? text_of("ARKStepEvolve", code) : std::string("the state is not finite");
    if (!pieces_.fault().empty()) reason_ += ": " + pieces_.fault();
    fill(pieces_.vector(), nan);
  }
  counts_ += taken;
  copy(pieces_.vector(), y);
}

// ---- ArkodeIntegrator ---------------------------------------------------------------------------

void ArkodeIntegrator::begin(std::shared_ptr<TimeSystem> system, double final_time) {
  run_.reset();
  adjoint_.reset();
  system_ = std::move(system);
  final_time_ = final_time;
  run_ = std::make_unique<ArkodeRun>(system_, final_time_, options_, context_);
}

ArkodeRun& ArkodeIntegrator::run() {
  if (run_ == nullptr) throw ShapeError("an integrator is told by begin() what to integrate");
  return *run_;
}

void ArkodeIntegrator::forward(const Vector& y0, const Vector& y) {
  copy(y0, y);
  run().forward(y);
  reason_ = run_->reason();
}

std::string ArkodeIntegrator::why_no_adjoint() const {
  if (system_->is_linear()) return {};
  return "ARKODE (SUNDIALS " SUNDIALS_VERSION
         ") has no adjoint of its implicit methods, and the system is not linear: use 'cvodes', or a "
         "scheme with a discrete adjoint";
}

void ArkodeIntegrator::backward(const Vector& p) {
  run();
  if (const std::string why = why_no_adjoint(); !why.empty()) throw Unsupported(why);
  if (adjoint_ == nullptr)
    adjoint_ = std::make_unique<ArkodeRun>(std::make_shared<AdjointSystem>(system_, final_time_),
                                           final_time_, options_, context_);
  const double largest = norm_max(p);
  if (largest == 0.0) return;
  if (!std::isfinite(largest)) {
    fill(p, nan);
    return;
  }
  scale(1.0 / largest, p);  // the absolute tolerance is for entries of size 1
  adjoint_->forward(p);
  scale(largest, p);
  reason_ = adjoint_->reason();
}

IntegrationCounts ArkodeIntegrator::forward_counts() const {
  return run_ == nullptr ? IntegrationCounts{} : run_->counts();
}

IntegrationCounts ArkodeIntegrator::backward_counts() const {
  return adjoint_ == nullptr ? IntegrationCounts{} : adjoint_->counts();
}

}  // namespace sundials_time

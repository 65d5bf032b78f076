#include "cvodes_run.hpp"

#include <cvodes/cvodes.h>
#include <cvodes/cvodes_ls.h>
#include <dlfcn.h>

#include <cmath>
#include <cstdlib>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

namespace sundials_time {

namespace {

std::string text_of(const char* what, int code) {
  char* name = CVodeGetReturnFlagName(code);
  std::string text = std::string(what) + " returned " + std::to_string(code);
  if (name != nullptr) text += " (" + std::string(name) + ")";
  std::free(name);
  return text;
}

void check(int code, const char* what) {
  if (code < 0) throw BackendError(text_of(what, code));
}

/// CVODE and CVODES have functions of one name. In a program that links the first, they stand before
/// those of the second that this plugin was linked with.
void check_libraries() {
  Dl_info common = {}, own = {};
  if (dladdr(reinterpret_cast<void*>(&CVodeCreate), &common) == 0 ||
      dladdr(reinterpret_cast<void*>(&CVodeAdjInit), &own) == 0 ||
      common.dli_fbase == own.dli_fbase)
    return;
  throw BackendError(std::string("this program's CVodeCreate is that of ") + common.dli_fname +
                     ", and 'cvodes' needs that of " + own.dli_fname +
                     ": link the program with CVODES, which has all that CVODE has");
}

}  // namespace

CvodesRun::CvodesRun(std::shared_ptr<TimeSystem> system, double final_time,
                     const CvodesOptions& options, const libsolve::Context& setting,
                     bool keeps_states)
    : options_(options),
      setting_(setting),
      final_time_(final_time),
      keeps_states_(keeps_states),
      context_(setting.communicator),
      state_(std::move(system), options, setting, context_, "sundials_time::y") {
  check_libraries();
  silence(context_);
  memory_ = CVodeCreate(CV_BDF, context_);
  if (memory_ == nullptr) throw BackendError("CVodeCreate gave no integrator");
  check(CVodeInit(memory_, Pieces::rate, 0.0, state_.y()), "CVodeInit");
  check(CVodeSetUserData(memory_, &state_), "CVodeSetUserData");
  check(CVodeSStolerances(memory_, options_.relative_tolerance, options_.absolute_tolerance),
        "CVodeSStolerances");
  check(CVodeSetLinearSolver(memory_, state_.solver(), state_.matrix()), "CVodeSetLinearSolver");
  check(CVodeSetJacFn(memory_, Pieces::jacobian), "CVodeSetJacFn");
  check(CVodeSetEpsLin(memory_, options_.linear_tolerance), "CVodeSetEpsLin");
  configure(memory_);
  if (keeps_states_)
    check(CVodeAdjInit(memory_, options_.checkpoint_steps,
                       options_.interpolation == "hermite" ? CV_HERMITE : CV_POLYNOMIAL),
          "CVodeAdjInit");
}

CvodesRun::~CvodesRun() {
  CVodeFree(&memory_);
}

void CvodesRun::configure(void* memory) const {
#if SUNDIALS_VERSION_MAJOR < 7
  check(CVodeSetErrFile(memory, nullptr), "CVodeSetErrFile");
#endif
  check(CVodeSetMaxOrd(memory, options_.order), "CVodeSetMaxOrd");
  check(CVodeSetMaxNumSteps(memory, static_cast<long>(options_.max_steps)), "CVodeSetMaxNumSteps");
}

template <class Function>
bool CvodesRun::counted(Pieces& pieces, IntegrationCounts& counts, const Vector& result,
                        const char* what, const Function& f) {
  const sun::LinearSolverCounts before = pieces.linear_counts();
  const std::int64_t rates = pieces.num_rates();
  pieces.clear_fault();
  const int code = f();
  const sun::LinearSolverCounts now = pieces.linear_counts();
  ++counts.runs;
  counts.rate_evaluations += pieces.num_rates() - rates;
  counts.newton_iterations += now.num_solves - before.num_solves;
  counts.linear_iterations += now.num_iterations - before.num_iterations;
  counts.linear_setups += now.num_setups - before.num_setups;
  reason_.clear();
  if (code >= 0 && std::isfinite(norm_max(result))) return true;
  ++counts.failures;
  reason_ = code < 0 ? text_of(what, code) : std::string("the state is not finite");
  if (!pieces.fault().empty()) reason_ += ": " + pieces.fault();
  fill(result, std::numeric_limits<double>::quiet_NaN());
  return false;
}

void CvodesRun::forward(const Vector& y) {
  has_run_ = false;
  copy(y, state_.vector());
  const bool worked = counted(state_, forward_, state_.vector(), "CVode", [&] {
    sunrealtype t = 0.0;
    int num_checkpoints = 0;
    if (const int code = CVodeReInit(memory_, 0.0, state_.y()); code < 0) return code;
    if (const int code = CVodeSetStopTime(memory_, final_time_); code < 0) return code;
    if (!keeps_states_) return CVode(memory_, final_time_, state_.y(), &t, CV_NORMAL);
    if (const int code = CVodeAdjReInit(memory_); code < 0) return code;
    return CVodeF(memory_, final_time_, state_.y(), &t, CV_NORMAL, &num_checkpoints);
  });
  long steps = 0;
  CVodeGetNumSteps(memory_, &steps);
  forward_.steps += steps;
  has_run_ = worked;
  copy(state_.vector(), y);
}

void CvodesRun::make_backward() {
  adjoint_ = std::make_unique<Pieces>(state_.system(), options_, setting_, context_, "sundials_time::p");
  check(CVodeCreateB(memory_, CV_BDF, &which_), "CVodeCreateB");
  check(CVodeInitB(memory_, which_, Pieces::adjoint_rate, final_time_, adjoint_->y()), "CVodeInitB");
  check(CVodeSetUserDataB(memory_, which_, adjoint_.get()), "CVodeSetUserDataB");
  check(CVodeSStolerancesB(memory_, which_, options_.relative_tolerance,
                           options_.absolute_tolerance),
        "CVodeSStolerancesB");
  check(CVodeSetLinearSolverB(memory_, which_, adjoint_->solver(), adjoint_->matrix()),
        "CVodeSetLinearSolverB");
  check(CVodeSetJacFnB(memory_, which_, Pieces::adjoint_jacobian), "CVodeSetJacFnB");
  check(CVodeSetEpsLinB(memory_, which_, options_.linear_tolerance), "CVodeSetEpsLinB");
  configure(CVodeGetAdjCVodeBmem(memory_, which_));
}

void CvodesRun::backward(const Vector& p) {
  const double largest = norm_max(p);
  if (!has_run_ || !std::isfinite(largest)) {
    if (has_run_)
      reason_ = "the adjoint at the final time is not finite";
    else if (!has_started())
      reason_ = "there is no run forward to go back along";
    fill(p, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  if (largest == 0.0) return;
  const bool is_first = adjoint_ == nullptr;
  if (is_first) make_backward();
  // The absolute tolerance is for entries of size 1.
  linear_combination(1.0 / largest, p, 0.0, p, adjoint_->vector());
  // CVodeB runs segments of the state again: what these take is counted with the rest.
  const sun::LinearSolverCounts state_before = state_.linear_counts();
  const std::int64_t rates_before = state_.num_rates();
  counted(*adjoint_, backward_, adjoint_->vector(), "CVodeB", [&] {
    if (const int code = CVodeReInitB(memory_, which_, final_time_, adjoint_->y()); code < 0)
      return code;
    if (const int code = CVodeB(memory_, 0.0, CV_NORMAL); code < 0) return code;
    sunrealtype t = 0.0;
    return CVodeGetB(memory_, which_, &t, adjoint_->y());
  });
  const sun::LinearSolverCounts state_now = state_.linear_counts();
  backward_.rate_evaluations += state_.num_rates() - rates_before;
  backward_.newton_iterations += state_now.num_solves - state_before.num_solves;
  backward_.linear_iterations += state_now.num_iterations - state_before.num_iterations;
  backward_.linear_setups += state_now.num_setups - state_before.num_setups;
  long steps = 0;
  CVodeGetNumSteps(CVodeGetAdjCVodeBmem(memory_, which_), &steps);
  backward_.steps += steps;
  linear_combination(largest, adjoint_->vector(), 0.0, adjoint_->vector(), p);
}

}  // namespace sundials_time

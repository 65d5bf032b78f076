#include <libsolve/adapters/sundials/linear_solver.hpp>

#include <cmath>
#include <libsolve/adapters/sundials/detail/nvector_kernels.hpp>
#include <libsolve/adapters/sundials/matrix.hpp>
#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/tunable.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <new>
#include <optional>

namespace libsolve::sun {

namespace {

// SUNLS_* of the recoverable kind are the same in all versions; the others are just negative.
constexpr int success = 0;
constexpr int fatal = -809;  // SUNLS_PACKAGE_FAIL_UNREC in 6.4

/// Each time the method meets its tolerance and the weighted norm is still too large, it goes on
/// with a smaller one.
constexpr int max_rounds = 8;

/// The product of the integrator failed with this code.
class ProductFailed final : public Error {
 public:
  explicit ProductFailed(int code_)
      : Error("the product A v of the integrator returned " + std::to_string(code_)), code(code_) {}
  int code;
};

/// y = A x by the integrator's function.
class IntegratorProduct final : public LinearOperator {
 public:
  IntegratorProduct(Partition rows, bool is_symmetric, N_Vector like)
      : rows_(std::move(rows)),
        is_symmetric_(is_symmetric),
        x_(N_VClone(like)),
        y_(N_VClone(like)) {
    if (x_ == nullptr || y_ == nullptr) throw BackendError("N_VClone gave no vector");
  }
  void set(void* data, SUNATimesFn function) {
    data_ = data;
    function_ = function;
  }

  const Partition& row_partition() const override { return rows_; }
  const Partition& column_partition() const override { return rows_; }
  void apply(const Vector& x, const Vector& y) const override {
    if (function_ == nullptr)
      throw Unsupported(
          "the integrator set no product A v; attach the solver with its SetLinearSolver");
    // Vectors of the integrator's own kind hold the numbers meanwhile: its functions know no other.
    copy(x, as_vector(x_.get(), rows_));
    const int code = function_(data_, x_.get(), y_.get());
    if (code != 0) throw ProductFailed(code);
    copy(as_vector(y_.get(), rows_), y);
  }
  bool is_symmetric() const override { return is_symmetric_; }
  std::string description() const override { return "the integrator's product A v"; }

 private:
  Partition rows_;
  bool is_symmetric_;
  NVectorPointer x_;
  NVectorPointer y_;
  void* data_ = nullptr;
  SUNATimesFn function_ = nullptr;
};

/// Stops a method at a residual norm. Reads no text.
class StopAt final : public Monitor {
 public:
  double target = 0.0;
  bool is_met = false;

  Verdict observe(std::int64_t, std::span<const Sample> samples) override {
    is_met = !samples.empty() && samples[0].value <= target;
    return is_met ? Verdict::interrupted : Verdict::proceed;
  }
  bool wants_text() const override { return false; }
};

struct Content {
  std::unique_ptr<LinearSolver> method;
  TakesContext* takes_context = nullptr;  // the method, where it does
  Partition rows;
  std::shared_ptr<IntegratorProduct> product;  // null for the kind with a matrix
  std::shared_ptr<const LinearOperator> A;     // what the method is prepared for
  Vector r;
  NVectorPointer resid;        // r as a vector of the integrator's kind
  N_Vector weights = nullptr;  // S_1, the integrator's
  bool is_zero_guess = false;
  StopAt monitor;
  std::string reason = {};
  int num_iterations = 0;
  double residual_norm = 0.0;
  sunindextype last_flag = 0;
  LinearSolverCounts counts = {};
};

Content& content(SUNLinearSolver S) {
  return *static_cast<Content*>(S->content);
}

struct Norms {
  double plain = 0.0;
  double weighted = 0.0;
};

Norms norms_of(const Content& c, const Vector& r) {
  if (c.weights == nullptr) {
    const double norm = norm2(r);
    return {norm, norm};
  }
  const Vector w = as_vector(c.weights, c.rows);
  const auto local = reduce_rows<Sums<2>>(default_space(), "sun::two_norms", r.local_size(),
                                          detail::TwoNormsBody{r.data(), w.data()});
  double sums[] = {local.value[0], local.value[1]};
  c.rows.communicator().sum(sums);
  return {std::sqrt(sums[0]), std::sqrt(sums[1])};
}

/// f(), with what it throws turned into a code and a reason.
template <class Function>
int guarded(Content& c, const Function& f) noexcept {
  int code = fatal;
  try {
    code = f();
  } catch (const ProductFailed& e) {
    c.reason = e.what();
    code = e.code > 0 ? SUNLS_ATIMES_FAIL_REC : fatal;
  } catch (const NumericalError& e) {
    c.reason = e.what();
    code = SUNLS_PACKAGE_FAIL_REC;
  } catch (const std::exception& e) {
    c.reason = e.what();
  } catch (...) {
    c.reason = "an exception of unknown type";
  }
  c.last_flag = code;
  if (code != success) ++c.counts.num_failures;
  return code;
}

/// Tells the method the operator, where it is another one than before, and its context.
void prepare(Content& c, SUNMatrix matrix) {
  const bool has_matrix = c.product == nullptr;
  if (has_matrix && c.takes_context != nullptr) c.takes_context->set_context(context_of(matrix));
  std::shared_ptr<const LinearOperator> A = c.product;
  if (has_matrix) A = operator_of(matrix);
  if (A == c.A) return;
  c.A.reset();
  ++c.counts.num_setups;
  c.method->setup(LinearSystem(A, c.r, c.r));
  c.A = A;
}

int run(Content& c, const Vector& b, const Vector& x, double tolerance) {
  c.num_iterations = 0;
  Norms now;
  if (c.is_zero_guess) {
    now = norms_of(c, b);
  } else {
    c.A->residual(b, x, c.r);
    now = norms_of(c, c.r);
  }
  const double at_start = now.weighted;
  std::optional<Report> report;
  for (int round = 0;; ++round) {
    c.residual_norm = now.weighted;
    if (now.weighted <= tolerance) {
      c.reason.clear();
      if (!report && c.is_zero_guess) copy(b, c.r);
      return success;
    }
    if (!std::isfinite(now.weighted)) {
      c.reason = report && !report->reason.empty() ? report->reason : "the residual is not finite";
      return SUNLS_PACKAGE_FAIL_REC;
    }
    if (report && (round == max_rounds || !c.monitor.is_met)) break;
    // The weights' mean size over the residual as it is now; a round that proved it too optimistic
    // aims lower.
    c.monitor.target = (round == 0 ? 1.0 : 0.7) * tolerance * (now.plain / now.weighted);
    c.monitor.is_met = false;
    LinearSystem system(c.A, b, x);
    report.emplace(c.method->solve(system, c.monitor));
    c.num_iterations += static_cast<int>(report->iterations);
    c.counts.num_iterations += report->iterations;
    c.A->residual(b, x, c.r);
    now = norms_of(c, c.r);
  }
  c.reason = report->reason;
  switch (report->status) {
    case Status::breakdown:
    case Status::non_finite:
    case Status::diverged:
      return SUNLS_PACKAGE_FAIL_REC;
    default:
      if (c.reason.empty())
        c.reason = std::string(to_string(report->status)) + " after " +
                   std::to_string(c.num_iterations) + " iterations";
      return now.weighted < at_start ? SUNLS_RES_REDUCED : SUNLS_CONV_FAIL;
  }
}

// ---- What SUNDIALS calls ------------------------------------------------------------------------

SUNLinearSolver_Type matrix_iterative(SUNLinearSolver) {
  return SUNLINEARSOLVER_MATRIX_ITERATIVE;
}
SUNLinearSolver_Type iterative(SUNLinearSolver) {
  return SUNLINEARSOLVER_ITERATIVE;
}
SUNLinearSolver_ID get_id(SUNLinearSolver) {
  return SUNLINEARSOLVER_CUSTOM;
}

int set_atimes(SUNLinearSolver S, void* data, SUNATimesFn function) {
  content(S).product->set(data, function);
  return success;
}
int set_scaling(SUNLinearSolver S, N_Vector s1, N_Vector) {
  content(S).weights = s1;
  return success;
}
int set_zero_guess(SUNLinearSolver S, sunbooleantype is_zero) {
  content(S).is_zero_guess = is_zero != 0;
  return success;
}
int initialize(SUNLinearSolver S) {
  content(S).last_flag = success;
  return success;
}
int setup(SUNLinearSolver S, SUNMatrix A) noexcept {
  Content& c = content(S);
  return guarded(c, [&] {
    prepare(c, A);
    return success;
  });
}
int solve(SUNLinearSolver S, SUNMatrix A, N_Vector x, N_Vector b, sunrealtype tolerance) noexcept {
  Content& c = content(S);
  return guarded(c, [&] {
    ++c.counts.num_solves;
    prepare(c, A);
    const Vector solution = as_vector(x, c.rows);
    if (c.is_zero_guess) fill(solution, 0.0);
    const int code = run(c, as_vector(b, c.rows), solution, tolerance);
    c.is_zero_guess = false;  // announced anew for each solve
    return code;
  });
}
int num_iterations(SUNLinearSolver S) {
  return content(S).num_iterations;
}
sunrealtype residual_norm(SUNLinearSolver S) {
  return content(S).residual_norm;
}
/// Integrators take it as the solution where there was no iteration.
N_Vector residual(SUNLinearSolver S) noexcept {
  Content& c = content(S);
  try {
    if (!is_nvector(c.resid.get())) copy(c.r, as_vector(c.resid.get(), c.rows));
    return c.resid.get();
  } catch (...) {
    return nullptr;
  }
}
sunindextype last_flag(SUNLinearSolver S) {
  return content(S).last_flag;
}
int space(SUNLinearSolver S, long* reals, long* integers) {
  *reals = static_cast<long>(content(S).rows.global_size());
  *integers = 0;
  return success;
}
int free_solver(SUNLinearSolver S) noexcept {
  if (S == nullptr) return success;
  delete static_cast<Content*>(S->content);
  S->content = nullptr;
  SUNLinSolFreeEmpty(S);
  return success;
}

SUNLinearSolver make(std::unique_ptr<LinearSolver> method, N_Vector like,
                     std::shared_ptr<IntegratorProduct> product, SUNContext context) {
  auto c = std::make_unique<Content>();
  c->method = std::move(method);
  c->takes_context = dynamic_cast<TakesContext*>(c->method.get());
  c->rows = partition_of(like);
  c->product = std::move(product);
  c->r = Vector("sun::linear_solver::r", c->rows);
  c->resid.reset(is_nvector(like) ? make_nvector(c->r, context) : N_VClone(like));
  if (c->resid == nullptr) throw BackendError("N_VClone gave no vector");
  SUNLinearSolver S = SUNLinSolNewEmpty(context);
  if (S == nullptr)
    throw BackendError(
        "SUNLinSolNewEmpty gave no solver; was the SUNContext created, and not freed?");
  S->ops->gettype = c->product != nullptr ? iterative : matrix_iterative;
  S->ops->getid = get_id;
  if (c->product != nullptr) S->ops->setatimes = set_atimes;
  S->ops->setscalingvectors = set_scaling;
  S->ops->setzeroguess = set_zero_guess;
  S->ops->initialize = initialize;
  S->ops->setup = setup;
  S->ops->solve = solve;
  S->ops->numiters = num_iterations;
  S->ops->resnorm = residual_norm;
  S->ops->resid = residual;
  S->ops->lastflag = last_flag;
  S->ops->space = space;
  S->ops->free = free_solver;
  S->content = c.release();
  return S;
}

Content& ours(SUNLinearSolver S) {
  if (S == nullptr || S->ops == nullptr || S->ops->free != free_solver)
    throw Unsupported("this SUNLinearSolver was not made by libsolve::sun");
  return content(S);
}

}  // namespace

SUNLinearSolver make_linear_solver(std::unique_ptr<LinearSolver> method, N_Vector like,
                                   SUNContext context) {
  return make(std::move(method), like, nullptr, context);
}

SUNLinearSolver make_matrix_free_solver(std::unique_ptr<LinearSolver> method, N_Vector like,
                                        SUNContext context, const LinearSolverOptions& options) {
  return make(std::move(method), like,
              std::make_shared<IntegratorProduct>(partition_of(like), options.is_symmetric, like),
              context);
}

std::unique_ptr<LinearSolver> make_method(const ComponentSpec& method,
                                          const libsolve::Context& setting) {
  ComponentSpec spec = method;
  const ComponentInfo* info =
      setting.registry != nullptr ? setting.registry->find(LinearSolver::kind, spec.name) : nullptr;
  if (info != nullptr) {
    for (const OptionInfo& option : info->options) {
      if (spec.options.find(option.name) != nullptr) continue;
      if (option.name == "relative_tolerance") spec.options.set(option.name, 0.0);
      if (option.name == "max_iterations") spec.options.set(option.name, 30);
    }
  }
  return setting.make<LinearSolver>(spec);
}

const std::string& reason_of(SUNLinearSolver S) {
  return ours(S).reason;
}
LinearSolverCounts counts_of(SUNLinearSolver S) {
  return ours(S).counts;
}

}  // namespace libsolve::sun

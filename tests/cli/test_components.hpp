#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <libsolve/core/options.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/learn/trainer.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>
#include <thread>
#include <vector>

/// A problem and a method that do what a test asks for: small, slow, broken. Registered by the unit
/// tests themselves and, for the command line, built as a plugin.
namespace libsolve::test {

/// No file may grow beyond `bytes` from now on, as on a disk that is full; 0 changes nothing.
inline void limit_file_size(std::int64_t bytes) {
  if (bytes <= 0) return;
  const rlimit limit = {static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  setrlimit(RLIMIT_FSIZE, &limit);
}

/// y = 2 x on a grid; `skewed` makes it the unsymmetric y_i = 2 x_i + x_{i+1}, still declared
/// symmetric.
class TwiceOperator final : public LinearOperator {
 public:
  TwiceOperator(Index n, bool skewed) : partition_(n), skewed_(skewed) {}
  const Partition& row_partition() const override { return partition_; }
  const Partition& column_partition() const override { return partition_; }
  void apply(const Vector& x, const Vector& y) const override {
    const auto in = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x.view());
    const auto out = Kokkos::create_mirror_view(y.view());
    const Index n = partition_.local_size();
    for (Index i = 0; i < n; ++i) out(i) = 2.0 * in(i) + (skewed_ && i + 1 < n ? in(i + 1) : 0.0);
    Kokkos::deep_copy(y.view(), out);
  }
  bool is_symmetric() const override { return true; }
  std::string description() const override { return "twice the identity"; }

 private:
  Partition partition_;
  bool skewed_;
};

struct GridProblemOptions {
  std::vector<int> size = {4, 3, 2};
  std::string file = {};
  bool skewed = false;
  std::int64_t room = 0;
  static void describe(Fields<GridProblemOptions>& f) {
    f.add("size", &GridProblemOptions::size, Range::at_least(1), "cells along each axis");
    f.add("file", &GridProblemOptions::file, "a file that is not read").file();
    f.add("skewed", &GridProblemOptions::skewed, "not as symmetric as it says");
    f.add("room", &GridProblemOptions::room, "bytes that files may have once it is built; 0: any");
  }
};

/// 2 x = 1 on a grid.
class GridProblem final : public ProblemSource {
 public:
  using Options = GridProblemOptions;
  static constexpr std::string_view problem_class = "linear";
  GridProblem(const Options& options, const Context&) : options_(options) {}
  std::unique_ptr<Problem> create() override {
    limit_file_size(options_.room);
    Grid grid;
    grid.dimension = static_cast<int>(options_.size.size());
    for (size_t a = 0; a < options_.size.size() && a < 3; ++a) {
      grid.cells[a] = options_.size[a];
      grid.spacing[a] = 1.0 / options_.size[a];
    }
    const Partition partition(grid.num_cells());
    const Vector b("test::b", partition), x("test::x", partition);
    fill(b, 1.0);
    auto system = std::make_unique<LinearSystem>(
        std::make_shared<TwiceOperator>(static_cast<Index>(grid.num_cells()), options_.skewed), b,
        x);
    system->grid = grid;
    system->text = "twice the identity";
    system->solution_units = "m";
    return system;
  }

 private:
  Options options_;
};

struct PatientSolverOptions {
  StoppingCriteria stopping = {};
  double rate = 0.5;
  double delay_s = 0.0;
  std::string outcome = "converged";
  std::int64_t room = 0;
  static void describe(Fields<PatientSolverOptions>& f) {
    f.add_group(&PatientSolverOptions::stopping);
    f.add("rate", &PatientSolverOptions::rate, Range::open(0.0, 1.0), "error reduction a step");
    f.add("delay_s", &PatientSolverOptions::delay_s, Range::at_least(0.0), "sleep in each step")
        .unit("s");
    f.add("outcome", &PatientSolverOptions::outcome,
          Choices{{"converged", "breakdown", "non_finite", "throws", "unsupported", "lies"}},
          "what happens in the end");
    f.add("room", &PatientSolverOptions::room, "bytes that files may have once it ran; 0: any");
  }
};

/// x += (1 - rate) / 2 r: the residual shrinks by `rate` in each step.
class PatientSolver final : public LinearSolver {
 public:
  using Options = PatientSolverOptions;
  PatientSolver(const Options& options, const Context&) : options_(options) {}
  void setup(const LinearSystem&) override {}
  using LinearSolver::solve;
  Report solve(LinearSystem& system, Monitor& monitor) override {
    const Options& o = options_;
    if (o.outcome == "unsupported") throw Unsupported("patient needs what the problem has not");
    if (o.outcome == "throws") throw NumericalError("pivot 3 is zero");
    Report report;
    const Vector r = system.b().like("test::r");
    const auto stop = [&](Status status, const std::string& reason) {
      limit_file_size(o.room);
      report.status = status;
      report.reason = reason;
      return report;
    };
    const auto begin = std::chrono::steady_clock::now();
    const double reference = norm2(system.b());
    monitor.begin_phase("solve");
    for (;; ++report.iterations) {
      const double norm = std::sqrt(system.A().residual(system.b(), system.x(), r));
      report.measures = {{"relative_residual", norm / reference, ""}};
      report.seconds = {
          {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
           "s"}};
      report.counts = {{"operator_applications", static_cast<double>(report.iterations + 1), ""}};
      const Sample samples[] = {{"residual_norm", norm}, {"relative_residual", norm / reference}};
      const Verdict verdict = monitor.observe(report.iterations, samples);
      if (o.outcome == "breakdown" && report.iterations == 2)
        return stop(Status::breakdown, "p^T A p = -1 at iteration 2");
      if (o.outcome == "non_finite" && report.iterations == 2) {
        fill(system.x(), std::nan(""));
        return stop(Status::non_finite, "the residual is not finite at iteration 2");
      }
      if (o.outcome == "lies" && report.iterations == 2) {
        report.measures[0].value = 0.0;
        return stop(Status::converged, "so it says");
      }
      if (norm <= o.stopping.relative_tolerance * reference)
        return stop(Status::converged, "relative residual " + format_number(norm / reference));
      if (verdict == Verdict::interrupted) return stop(Status::interrupted, "asked to stop");
      if (verdict == Verdict::time_limit) return stop(Status::time_limit, "out of time");
      if (report.iterations >= o.stopping.max_iterations)
        return stop(Status::max_iterations, "iteration limit");
      std::this_thread::sleep_for(std::chrono::duration<double>(o.delay_s));
      axpy((1.0 - o.rate) / 2.0, r, system.x());
    }
  }

 private:
  Options options_;
};

struct DescentOptions {
  int steps = 50;
  double rate = 0.1;
  double delay_s = 0.0;
  ComponentSpec problem = "test-grid";
  static void describe(Fields<DescentOptions>& f) {
    f.add("steps", &DescentOptions::steps, Range::at_least(1), "steps of gradient descent");
    f.add("rate", &DescentOptions::rate, Range::above(0.0), "learning rate");
    f.add("delay_s", &DescentOptions::delay_s, Range::at_least(0.0), "sleep in each step").unit("s");
    f.add_component("problem", &DescentOptions::problem, "problem-source", "what it learns from");
  }
};

/// Learns the diagonal 2 of the test problem from noisy looks at it, by descent with momentum.
class DescentTrainer final : public Trainer {
 public:
  using Options = DescentOptions;
  DescentTrainer(const Options& options, const Context& context)
      : options_(options),
        noise_(context.seed, "test_noise"),
        problem_(context.make<ProblemSource>(options.problem)->create()) {}
  std::string description() const override { return "one weight for " + problem_->description(); }
  void resume(const TrainingState& state) override {
    step_ = state.step;
    if (state.arrays.size() != 1 || state.arrays[0].values.size() != 2)
      throw InputError({.file = state.file, .line = 0, .column = 0}, "state", "of another network");
    weight_ = state.arrays[0].values[0];
    speed_ = state.arrays[0].values[1];
  }
  Report train(Monitor& monitor) override {
    Report report;
    const auto stop = [&](Status status) {
      report.status = status;
      report.iterations = step_;
      report.reason = std::to_string(step_) + " of " + std::to_string(options_.steps) + " steps";
      report.measures = {{"error", std::abs(weight_ - 2.0), ""}};
      return report;
    };
    while (step_ < options_.steps) {
      std::this_thread::sleep_for(std::chrono::duration<double>(options_.delay_s));
      const double gap =
          weight_ - 2.0 - 1e-3 * noise_.normal(static_cast<std::uint64_t>(step_));
      speed_ = 0.5 * speed_ - options_.rate * gap;
      weight_ += speed_;
      const Sample samples[] = {{"loss", gap * gap}};
      const Verdict verdict = monitor.observe(++step_, samples);
      if (!std::isfinite(weight_)) return stop(Status::non_finite);
      if (verdict == Verdict::interrupted) return stop(Status::interrupted);
      if (verdict == Verdict::time_limit) return stop(Status::time_limit);
    }
    return stop(Status::converged);
  }
  Weights weights() const override {
    Weights w;
    w.network = "test-descent";
    w.options.set("width", 1);
    w.arrays = {{"layer/weight", {1, 1}, {weight_}}};
    w.trained_on = {"twice", 3, {4, 3, 2}, problem_->description()};
    return w;
  }
  TrainingState state() const override { return {step_, {{"memory", {2}, {weight_, speed_}}}}; }

 private:
  Options options_;
  RandomStream noise_;
  std::unique_ptr<Problem> problem_;
  double weight_ = 0.0;
  double speed_ = 0.0;
  std::int64_t step_ = 0;
};

inline void register_test_components(Registrar& registrar) {
  registrar.add<DescentTrainer>({.name = "test-descent", .summary = "learns one number"});
  registrar.add<GridProblem>({.name = "test-grid", .summary = "2 x = 1 on a grid"});
  registrar.add<PatientSolver>({.name = "test-patient", .summary = "a method that takes its time"});
}

}  // namespace libsolve::test

#pragma once

#include <libsolve/core/types.hpp>
#include <libsolve/core/value.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/run/triad.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// libsolve-bench: kernels and whole solves against the speed of the memory bus of the same run.
namespace bench {

using libsolve::Index;
using libsolve::Triad;

/// What time is. `cpu` is the processor time of the calling thread's process: on a shared machine
/// it leaves out the time others had the core; only meaningful with one thread.
enum class Clock { wall, cpu };

struct Settings {
  Clock clock = Clock::wall;
  int repeat = 3;
};

/// Seconds on that clock, from an arbitrary origin.
double now(Clock clock);

/// One line of `kernels`.
struct KernelRow {
  std::string name;
  std::string size;
  double doubles = 0.0;  ///< counted per unknown
  double seconds_per_unknown = 0.0;
  double fraction = 0.0;  ///< of triad
  double bar = 0.0;       ///< least fraction asked for; 0 = none
};

/// One line of `learn`, on one thread.
struct LearnRow {
  std::string name;
  std::string size;
  double flops_per_unknown = 0.0;
  double seconds_per_unknown = 0.0;
  double fraction = 0.0;  ///< of what one core does in multiply-adds on registers
  double bar = 0.0;       ///< least fraction asked for; 0 = none
};

/// One line of `transport`: a pass over the entries of a cost.
struct PassRow {
  std::string name;
  int n = 0;  ///< rows and columns
  double seconds = 0.0;
  double fraction = 0.0;     ///< of a core's multiply-adds in double; 0 where none are counted
  double max_seconds = 0.0;  ///< bar; 0 = none
  bool passed() const { return max_seconds == 0.0 || seconds <= max_seconds; }
};

/// One line of `batches`: many small least-squares problems.
struct BatchRow {
  std::string name;
  int rows = 0, unknowns = 0, constraints = 0, problems = 0;
  double seconds = 0.0;      ///< a problem
  double flops = 0.0;        ///< a problem; 0 where none are counted
  double fraction = 0.0;     ///< of the cores' multiply-adds in double
  double speedup = 0.0;      ///< over Eigen's QR, one problem after the other on the same threads
  double difference = -1.0;  ///< largest, of w; negative: none
};

/// One line of `bilevel`: an iteration of LV-HBA.
struct IterationRow {
  int n = 0;
  double seconds = 0.0;
  double floor = 0.0;  ///< seconds that the bytes of the state take at the speed of a triad
  double bar = 0.0;    ///< times the floor
  bool passed() const { return seconds <= bar * floor; }
};

/// One solve of the suite: what to run and what is asked of it (0 = nothing).
struct SolveCase {
  std::string name;
  libsolve::Value problem;
  int max_iterations = 0;
  double max_td = 0.0;
  double max_bytes = 0.0;
};

struct SolveRow {
  std::string name;
  std::string size;
  double unknowns = 0.0;
  std::string status;
  std::string reason;
  double iterations = 0.0;
  double relative_residual = 0.0;  ///< recomputed from the system
  double triad_before = 0.0;       ///< seconds per double
  double triad_after = 0.0;
  double first_td = 0.0;  ///< set-up and solve the first time, in memory new to the process
  double setup_td = 0.0;  ///< of the fastest time
  double solve_td = 0.0;
  double seconds = 0.0;
  double bytes_per_unknown = 0.0;  ///< high water of what set-up and solve allocate
  int max_iterations = 0;
  double max_td = 0.0;
  double max_bytes = 0.0;
  std::vector<std::string> notes;

  double total_td() const { return setup_td + solve_td; }
  bool passed() const;
};

/// An operator of one of the families that `families` compares preconditioners on.
struct FamilyCase {
  std::string family;
  std::string name;
  libsolve::Value problem;  ///< options of the source `poisson` but for its size
  std::uint64_t seed = 1;
};

/// One preconditioner on one of them.
struct CompareRow {
  std::string family, name, preconditioner, status;
  int size = 0;
  double steps = 0.0;
  double setup_seconds = 0.0;  ///< the fastest
  double seconds = 0.0;        ///< that and the fastest solve
  double setup_td = 0.0;
  double total_td = 0.0;
  double relative_residual = 0.0;  ///< recomputed from the system
  double ratio = 0.0;              ///< seconds of the first preconditioner over those of this one
  std::vector<std::string> notes;
};

/// Optimal control against one forward solve of the same equation by hypre.
struct ControlCase {
  int dimension = 2;
  int size = 256;  ///< cells a side
  double beta = 1e-4;
  std::string method;   ///< as component_from reads it
  std::string forward;  ///< linear solver of the forward problem, likewise
};
struct ControlRow {
  ControlCase c;
  double steps = 0.0;
  double residual = 0.0;  ///< of all conditions of optimality, recomputed, relative
  double setup_seconds = 0.0;
  double seconds = 0.0;          ///< set-up, solve and verification, the fastest run
  double forward_steps = 0.0;
  double forward_setup_seconds = 0.0;
  double forward_seconds = 0.0;  ///< set-up and solve, the fastest run; the matrix is there already
  std::string status;
  double ratio() const { return seconds / forward_seconds; }
  bool passed() const { return status == "converged" && ratio() <= 4.0; }
};
/// "multigrid" or "multigrid; cycle = 'V'; omega = 1.2": a component and its options in TOML.
libsolve::Value component_from(const std::string& text);
/// The methods in turn with the forward solves; one row each.
std::vector<ControlRow> run_control(const Settings& settings, const libsolve::Registry& registry,
                                    const ControlCase& c, const std::vector<std::string>& methods);

/// A gradient by discrete adjoints in time.
struct GradientCase {
  int dimension = 2;
  int size = 128;  ///< cells a side
  int steps = 100;
};
struct GradientRow {
  GradientCase c;
  std::string checkpoints;                          ///< or the integrator that chooses the steps
  std::int64_t state_steps = 0, adjoint_steps = 0;  ///< time steps for one gradient
  std::int64_t forward_steps = 0;                   ///< of one run forward
  double forward_seconds = 0.0;  ///< a run that keeps nothing, the fastest
  double seconds = 0.0;          ///< a gradient at a new point, the fastest
  double bar = 0.0;              ///< of ratio() and runs(); 0: none
  double ratio() const { return seconds / forward_seconds; }
  double runs() const {
    return static_cast<double>(state_steps + adjoint_steps) / static_cast<double>(forward_steps);
  }
  bool passed() const { return bar == 0.0 || (ratio() <= bar && runs() <= bar); }
};
/// Source heat-inversion by the theta scheme with each way to keep checkpoints, and by the time
/// integrators that the registry has, in turn with runs forward of the same.
std::vector<GradientRow> run_gradient(const Settings& settings, const libsolve::Registry& registry,
                                      const GradientCase& c);

/// Twenty operators that nothing in libsolve was trained or tuned on: jumps of 1e6 in several block
/// patterns, masks with thin channels, anisotropy, mixtures.
std::vector<FamilyCase> held_back();
/// Seconds of flexible CG to 1e-8 on n^3 cells with each of the preconditioners, taken in turn.
std::vector<CompareRow> compare(const Settings& settings, const Triad& triad,
                                const libsolve::Registry& registry, const FamilyCase& c, int n,
                                const std::vector<std::string>& preconditioners);

std::vector<KernelRow> run_kernels(const Settings& settings, const Triad& triad);
/// Convolutions of networks against the multiply-add units.
std::vector<LearnRow> run_learn(const Settings& settings);
/// Passes of optimal transport over 2D points and stored costs.
std::vector<PassRow> run_transport(const Settings& settings);
/// Constrained least squares in a batch and its adjoint, beside Eigen.
std::vector<BatchRow> run_batches(const Settings& settings);
/// Iterations of LV-HBA in one pass over memory, from cache to main memory.
std::vector<IterationRow> run_bilevel(const Settings& settings, const libsolve::Registry& registry);
SolveRow run_solve(const Settings& settings, const Triad& triad, const libsolve::Registry& registry,
                   const SolveCase& c, const libsolve::Value& method);
/// The Speed section of the specification; `filter` keeps the cases whose name contains it.
std::vector<SolveCase> suite(const std::string& filter);
/// poisson options for a size and a named case: constant, blocks, neumann, mask, ...
libsolve::Value named_problem(const std::string& name, const std::vector<int>& size);

void print_header(const std::vector<KernelRow>&);
void print(const KernelRow& row);
void print_solve_header();
void print_control_header();
void print_gradient_header();
void print(const GradientRow& row);
nlohmann::json to_json(const GradientRow& row);
void print(const ControlRow& row);
nlohmann::json to_json(const ControlRow& row);
void print(const SolveRow& row);
void print(const CompareRow& row);
nlohmann::json to_json(const KernelRow& row);
nlohmann::json to_json(const CompareRow& row);
nlohmann::json to_json(const SolveRow& row);
nlohmann::json to_json(const LearnRow& row);
nlohmann::json to_json(const PassRow& row);
nlohmann::json to_json(const IterationRow& row);
nlohmann::json to_json(const BatchRow& row);

}  // namespace bench

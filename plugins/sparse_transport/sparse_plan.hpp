#pragma once

#include <chrono>
#include <libsolve/transport/transport_problem.hpp>
#include <string>
#include <vector>

/// What the methods of this plugin do alike: plans of few entries into the problem, the decision.
namespace sparse_transport {

using namespace libsolve;

struct PlanEntry {
  Index row;
  Index column;
  double mass;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Throws Unsupported for the unbalanced problem and on several ranks.
void require_balanced_and_one_rank(const TransportProblem& problem, const char* method);

/// `plan` by rows, then columns, of n rows.
SparseEntries sparse_entries(std::size_t n, const std::vector<PlanEntry>& plan);
void store_plan(TransportProblem& problem, const std::vector<PlanEntry>& plan);
void store_potentials(TransportProblem& problem, const std::vector<double>& f,
                      const std::vector<double>& g);

/// Where the status is "converged": looks at "marginal_violation" and "optimality_gap" of the
/// measures and leaves it so or says "stagnated". Writes the reason in any case.
void certify(const TransportProblem& problem, double tolerance, double gap_tolerance,
             Report& report);

/// Copies to and from where kernels run.
VectorView to_device(const std::vector<double>& values, const char* label);
std::vector<double> to_host(const ConstVectorView& values);

}  // namespace sparse_transport

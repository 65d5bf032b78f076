#include <libsolve/core/errors.hpp>
#include <libsolve/linear/batched_least_squares.hpp>
#include <libsolve/linear/detail/least_squares_group.hpp>
#include <string>
#include <vector>

namespace libsolve {

namespace {

using detail::LeastSquaresPointers;

/// Rows of Phi taken at a time.
constexpr int block = 8;

enum class Work { solve, measure, adjoint, invert };

/// One team a group of problems.
template <class Exec, Work work>
struct GroupWork {
  LeastSquaresPointers data;
  std::size_t bytes;

  KOKKOS_FUNCTION void operator()(
      const typename Kokkos::TeamPolicy<Exec>::member_type& team) const {
    auto* const room = static_cast<double*>(team.team_scratch(1).get_shmem_aligned(bytes, 64));
    const int lane = static_cast<int>(team.team_rank());
    const int group = static_cast<int>(team.league_rank());
    if (group * detail::ProblemLanes<Exec>::width + lane >= data.B) return;
    const detail::LeastSquaresGroup<Exec, block> problems(data, group, lane, room);
    if (problems.empty()) return;
    if constexpr (work == Work::solve) problems.solve();
    if constexpr (work == Work::measure) problems.measure();
    if constexpr (work == Work::adjoint) problems.adjoint();
    if constexpr (work == Work::invert) problems.invert();
  }
};

template <Work work, class Exec>
void run(const char* label, const Exec& exec, const LeastSquaresPointers& data) {
  if (data.B == 0) return;
  using Lanes = detail::ProblemLanes<Exec>;
  const int groups = (data.B + Lanes::width - 1) / Lanes::width;
  const std::size_t bytes = static_cast<std::size_t>(detail::work_slots(data.n, data.c, block)) *
                            Lanes::width * sizeof(double);
  Kokkos::TeamPolicy<Exec, Kokkos::Schedule<Kokkos::Dynamic>> policy(exec, groups,
                                                                     Lanes::team_size);
  policy.set_scratch_size(1, Kokkos::PerTeam(bytes + 128));
  Kokkos::parallel_for(label, policy, GroupWork<Exec, work>{data, bytes});
}

/// How many problems have a status other than solved.
struct CountFlagged {
  const int* status;
  const int* active;
  KOKKOS_FUNCTION void operator()(int k, int& count) const {
    if ((active == nullptr || active[k] != 0) && status[k] != 0) ++count;
  }
};

template <class View>
void need(const char* name, const View& view, const std::vector<int>& sizes, bool may_be_empty) {
  bool fits = true;
  std::string found, wanted;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    fits = fits && view.extent(d) == static_cast<std::size_t>(sizes[d]);
    found += (d > 0 ? " x " : "") + std::to_string(view.extent(d));
    wanted += (d > 0 ? " x " : "") + std::to_string(sizes[d]);
  }
  if (fits || (may_be_empty && view.size() == 0)) return;
  throw ShapeError(std::string("least squares in a batch: '") + name + "' is " + found +
                   "; give it " + wanted + (may_be_empty ? " or leave it empty" : ""));
}

template <class View>
auto* pointer(const View& view) {
  return view.size() == 0 ? nullptr : view.data();
}

}  // namespace

template <class Exec>
BatchedLeastSquares<Exec>::BatchedLeastSquares(const Exec& exec, const LeastSquaresShape& s,
                                               double rank_tolerance)
    : exec_(exec), shape_(s), rank_tolerance_(rank_tolerance) {
  if (s.problems < 0 || s.rows < 0 || s.unknowns < 1 || s.constraints < 0 ||
      s.constraints > s.unknowns)
    throw ShapeError("least squares in a batch: " + std::to_string(s.problems) + " problems of " +
                     std::to_string(s.rows) + " rows, " + std::to_string(s.unknowns) +
                     " unknowns and " + std::to_string(s.constraints) +
                     " constraints; there must be an unknown at least and no more constraints "
                     "than unknowns");
  constexpr int width = detail::ProblemLanes<Exec>::width;
  const auto groups = static_cast<std::size_t>((s.problems + width - 1) / width);
  factors_ = typename BatchArrays<Exec>::template Scalar<double>(
      Kokkos::view_alloc("linear::batch_factors", exec, Kokkos::WithoutInitializing),
      groups * width * static_cast<std::size_t>(detail::factor_slots(s.unknowns, s.constraints)));
}

template <class Exec>
void BatchedLeastSquares<Exec>::check(const Batch& batch) const {
  const auto& s = shape_;
  need("Phi", batch.Phi, {s.problems, s.rows, s.unknowns}, s.rows == 0);
  need("d", batch.d, {s.problems, s.rows}, s.rows == 0);
  need("C", batch.C, {s.problems, s.constraints, s.unknowns}, s.constraints == 0);
  need("e", batch.e, {s.problems, s.constraints}, s.constraints == 0);
  need("lambda", batch.lambda, {s.problems}, false);
  need("w0", batch.w0, {s.problems, s.unknowns}, true);
  need("active", batch.active, {s.problems}, true);
}

namespace {

template <class Exec>
LeastSquaresPointers pointers_of(const LeastSquaresShape& s, const LeastSquaresBatch<Exec>& batch) {
  LeastSquaresPointers data;
  data.B = s.problems;
  data.m = s.rows;
  data.n = s.unknowns;
  data.c = s.constraints;
  data.Phi = pointer(batch.Phi);
  data.d = pointer(batch.d);
  data.C = pointer(batch.C);
  data.e = pointer(batch.e);
  data.lambda = pointer(batch.lambda);
  data.w0 = pointer(batch.w0);
  data.active = pointer(batch.active);
  return data;
}

template <class Exec>
void add_solution(const LeastSquaresShape& s, const LeastSquaresSolution<Exec>& out,
                  LeastSquaresPointers& data) {
  need("solution.w", out.w, {s.problems, s.unknowns}, false);
  need("solution.mu", out.mu, {s.problems, s.constraints}, s.constraints == 0);
  need("solution.stationarity", out.stationarity, {s.problems}, false);
  need("solution.violation", out.violation, {s.problems}, false);
  need("solution.status", out.status, {s.problems}, false);
  data.w = pointer(out.w);
  data.mu = pointer(out.mu);
  data.stationarity = pointer(out.stationarity);
  data.violation = pointer(out.violation);
  data.status = pointer(out.status);
}

}  // namespace

template <class Exec>
int BatchedLeastSquares<Exec>::solve(const Batch& batch, const Solution& out) {
  check(batch);
  LeastSquaresPointers data = pointers_of(shape_, batch);
  add_solution(shape_, out, data);
  data.factors = factors_.data();
  data.rank_tolerance = rank_tolerance_;
  run<Work::solve>("linear::batched_least_squares", exec_, data);
  int flagged = 0;
  Kokkos::parallel_reduce("linear::count_flagged",
                          Kokkos::RangePolicy<Exec>(exec_, 0, shape_.problems),
                          CountFlagged{data.status, data.active}, flagged);
  exec_.fence("linear::batched_least_squares");
  return flagged;
}

template <class Exec>
void BatchedLeastSquares<Exec>::measure(const Batch& batch, const ConstVectors& w,
                                        const Solution& out) {
  check(batch);
  need("w", w, {shape_.problems, shape_.unknowns}, false);
  LeastSquaresPointers data = pointers_of(shape_, batch);
  add_solution(shape_, out, data);
  data.factors = factors_.data();
  data.rank_tolerance = rank_tolerance_;
  data.at = w.data();
  run<Work::measure>("linear::measure_least_squares", exec_, data);
}

template <class Exec>
void BatchedLeastSquares<Exec>::adjoint(const Batch& batch, const Solution& solution,
                                        const ConstVectors& g, const Gradient& out) const {
  check(batch);
  const auto& s = shape_;
  LeastSquaresPointers data = pointers_of(s, batch);
  add_solution(s, solution, data);
  need("dL/dw", g, {s.problems, s.unknowns}, false);
  need("gradient.Phi", out.Phi, {s.problems, s.rows, s.unknowns}, true);
  need("gradient.d", out.d, {s.problems, s.rows}, true);
  need("gradient.C", out.C, {s.problems, s.constraints, s.unknowns}, true);
  need("gradient.e", out.e, {s.problems, s.constraints}, true);
  need("gradient.lambda", out.lambda, {s.problems}, true);
  need("gradient.w0", out.w0, {s.problems, s.unknowns}, true);
  data.factors = factors_.data();
  data.g = g.data();
  data.dPhi = pointer(out.Phi);
  data.dd = pointer(out.d);
  data.dC = pointer(out.C);
  data.de = pointer(out.e);
  data.dlambda = pointer(out.lambda);
  data.dw0 = pointer(out.w0);
  run<Work::adjoint>("linear::adjoint_least_squares", exec_, data);
}

template <class Exec>
void BatchedLeastSquares<Exec>::invert(const Batch& batch, const Solution& solution,
                                       const ConstVectors& g, const Vectors& a) const {
  check(batch);
  LeastSquaresPointers data = pointers_of(shape_, batch);
  add_solution(shape_, solution, data);
  need("g", g, {shape_.problems, shape_.unknowns}, false);
  need("a", a, {shape_.problems, shape_.unknowns}, false);
  data.factors = factors_.data();
  data.g = g.data();
  data.a = a.data();
  run<Work::invert>("linear::invert_least_squares", exec_, data);
}

#ifdef KOKKOS_ENABLE_SERIAL
template class BatchedLeastSquares<Kokkos::Serial>;
#endif
#ifdef KOKKOS_ENABLE_OPENMP
template class BatchedLeastSquares<Kokkos::OpenMP>;
#endif
#ifdef KOKKOS_ENABLE_CUDA
template class BatchedLeastSquares<Kokkos::Cuda>;
#endif
#ifdef KOKKOS_ENABLE_HIP
template class BatchedLeastSquares<Kokkos::HIP>;
#endif

}  // namespace libsolve

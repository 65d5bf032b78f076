#include "batches_peer.hpp"

#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>

#if LIBSOLVE_HAVE_EIGEN && !LIBSOLVE_HAVE_CUDA
#include <Eigen/Dense>
#include <vector>
#endif

namespace bench {

#if LIBSOLVE_HAVE_EIGEN && !LIBSOLVE_HAVE_CUDA

const bool have_peer = libsolve::runs_on_host<libsolve::ExecSpace>;

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// Room that one thread keeps from problem to problem.
struct Room {
  Matrix turned, stacked, gram, solved, schur;
  Vector rhs, y, w, mu;
  Eigen::HouseholderQR<Matrix> constraints, rows;
  Eigen::LLT<Matrix> factor, small;
};

void solve_qr(const Eigen::Map<const RowMajor>& Phi, const Eigen::Map<const Vector>& d,
              const Eigen::Map<const RowMajor>& C, const Eigen::Map<const Vector>& e, double lambda,
              Room& room) {
  const auto m = Phi.rows(), n = Phi.cols(), c = C.rows(), p = n - c;
  room.turned = Phi;
  room.y.resize(n);
  if (c > 0) {
    room.constraints.compute(C.transpose());
    room.turned.applyOnTheRight(room.constraints.householderQ());
    room.y.head(c) =
        room.constraints.matrixQR().topRows(c).triangularView<Eigen::Upper>().transpose().solve(e);
  }
  room.stacked.setZero(m + p, p);
  room.stacked.topRows(m) = room.turned.rightCols(p);
  room.stacked.bottomRows(p).diagonal().setConstant(std::sqrt(lambda));
  room.rhs.setZero(m + p);
  room.rhs.head(m) = d;
  if (c > 0) room.rhs.head(m).noalias() -= room.turned.leftCols(c) * room.y.head(c);
  room.rows.compute(room.stacked);
  room.y.tail(p) = room.rows.solve(room.rhs);
  if (c > 0)
    room.w = room.constraints.householderQ() * room.y;
  else
    room.w = room.y;
}

void solve_normal(const Eigen::Map<const RowMajor>& Phi, const Eigen::Map<const Vector>& d,
                  const Eigen::Map<const RowMajor>& C, const Eigen::Map<const Vector>& e,
                  double lambda, Room& room) {
  const auto n = Phi.cols(), c = C.rows();
  room.gram.setZero(n, n);
  room.gram.selfadjointView<Eigen::Lower>().rankUpdate(Phi.transpose());
  room.gram.diagonal().array() += lambda;
  room.factor.compute(room.gram);
  room.w.noalias() = Phi.transpose() * d;
  room.factor.solveInPlace(room.w);
  if (c == 0) return;
  room.solved = C.transpose();
  room.factor.solveInPlace(room.solved);
  room.schur.noalias() = C * room.solved;
  room.small.compute(room.schur);
  room.mu = C * room.w - e;
  room.small.solveInPlace(room.mu);
  room.w.noalias() -= room.solved * room.mu;
}

}  // namespace

double PeerBatch::difference(Peer peer,
                             const libsolve::BatchArrays<Exec>::Vector<const double>& w) const {
  const auto m = shape.rows, n = shape.unknowns, c = shape.constraints;
  using Host = Kokkos::DefaultHostExecutionSpace;
  std::vector<Room> rooms(static_cast<std::size_t>(Host().concurrency()));
  const int parts = static_cast<int>(rooms.size());
  double largest = 0.0;
  Kokkos::parallel_reduce(
      "bench::eigen", Kokkos::RangePolicy<Host>(0, parts, Kokkos::ChunkSize(1)),
      [&](int part, double& worst) {
        Room& room = rooms[static_cast<std::size_t>(part)];
        const int first = static_cast<int>(std::int64_t(shape.problems) * part / parts);
        const int last = static_cast<int>(std::int64_t(shape.problems) * (part + 1) / parts);
        for (int k = first; k < last; ++k) {
          const auto at = static_cast<std::ptrdiff_t>(k);
          const Eigen::Map<const RowMajor> Phi(batch.Phi.data() + at * m * n, m, n);
          const Eigen::Map<const RowMajor> C(batch.C.data() + at * c * n, c, n);
          const Eigen::Map<const Vector> d(batch.d.data() + at * m, m);
          const Eigen::Map<const Vector> e(batch.e.data() + at * c, c);
          (peer == Peer::qr ? solve_qr : solve_normal)(Phi, d, C, e, lambda(k), room);
          for (int l = 0; l < n; ++l) worst = std::max(worst, std::abs(room.w(l) - w(k, l)));
        }
      },
      Kokkos::Max<double>(largest));
  return largest;
}

#else

const bool have_peer = false;

double PeerBatch::difference(Peer, const libsolve::BatchArrays<Exec>::Vector<const double>&) const {
  throw libsolve::Unsupported(
      "this build has no Eigen to compare with; install it and configure again");
}

#endif

}  // namespace bench

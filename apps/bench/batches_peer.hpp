#pragma once

#include <libsolve/linear/batched_least_squares.hpp>

namespace bench {

/// What Eigen does with the problems of a batch, one after the other, on the threads that the batch
/// has.
enum class Peer { qr, normal };

/// Whether this build has Eigen, and problems lie where it can see them.
extern const bool have_peer;

struct PeerBatch {
  using Exec = libsolve::ExecSpace;
  libsolve::LeastSquaresShape shape;
  libsolve::LeastSquaresBatch<Exec> batch;
  libsolve::BatchArrays<Exec>::Scalar<const double> lambda;

  /// Solves all and returns the largest difference from w: by the same null-space method with
  /// Eigen's blocked Householder reflections, or by Cholesky factors of Phi^T Phi + lambda I and of
  /// the Schur complement.
  double difference(Peer peer, const libsolve::BatchArrays<Exec>::Vector<const double>& w) const;
};

}  // namespace bench

#pragma once

#include <libsolve/core/types.hpp>
#include <libsolve/learn/plan.hpp>
#include <vector>

namespace libsolve::learn {

/// A network in use, on grids of one size: weights and the results of its layers lie in the memory
/// of the default execution space; nothing is allocated in an application. Steps that can be joined
/// are (fused()), and results that no layer reads any more make room. On the host the convolutions
/// are those of learn/convolution.hpp, whose threads share out planes: the digits do not depend on
/// their number.
class LIBSOLVE_EXPORT Inference {
 public:
  using FloatView = Kokkos::View<float*, MemSpace>;

  Inference() = default;
  Inference(const Network<float>& network, std::array<int, 3> cells);

  /// The input is factor * r. r: one number for each cell, x fastest.
  void set_input(const VectorView& r, double factor);
  /// Asynchronous on devices, as are the others.
  void apply();
  /// q = the output, 0 where `closed` is not 0 (or everywhere the output where it is empty).
  void get_output(const Kokkos::View<const unsigned char*, MemSpace>& closed, const VectorView& q);

  const Plan& plan() const { return plan_; }
  double memory_bytes() const;
  /// Additions and multiplications of one application for each cell of the finest grid.
  double flops_per_cell() const { return 2.0 * plan_.multiply_adds_per_cell(); }

 private:
  const PaddedGrid& grid_of(int tensor) const { return grids_[size_t(plan_.level_of(tensor))]; }
  float* tensor(int t) const { return buffers_[size_t(slot_[size_t(t)])].data(); }
  void share_out_buffers();
  void run_layer(int layer) const;

  Plan plan_;
  std::vector<PaddedGrid> grids_;
  std::vector<FloatView> buffers_;
  std::vector<int> slot_;  ///< of each tensor
  FloatView weights_;      ///< in blocks on the host, as in Plan on devices
  FloatView biases_;
  std::vector<std::size_t> first_weight_;
  std::vector<std::size_t> first_bias_;
};

}  // namespace libsolve::learn

#pragma once

#include <libsolve/learn/plan.hpp>
#include <vector>

namespace libsolve::learn {

/// One sample through a network and back, on one thread of the host: several samples of a batch
/// each have a pass of their own, so a sum over them depends on no thread count. Gradients by
/// reverse accumulation; all results of the layers are kept.
template <class T>
class LIBSOLVE_EXPORT TrainingPass {
 public:
  /// For grids of these cells.
  TrainingPass(const Plan& plan, std::array<int, 3> cells);

  const PaddedGrid& grid() const { return grids_[0]; }
  /// The input, padded as grid() says; only cells may be written, what is around them stays 0.
  T* input() { return tensors_[0].data(); }
  /// The output for these parameters, padded; stays until the next call.
  const T* forward(const std::vector<T>& parameters);
  /// The gradient of a loss by the output, to be filled before backward(); zeroed by forward().
  T* output_gradient() { return gradients_.back().data(); }
  /// Adds the gradient by the parameters to `gradient`. After forward() with the same parameters.
  void backward(const std::vector<T>& parameters, std::vector<T>& gradient);
  /// The gradient by the input, after backward().
  const T* input_gradient() const { return gradients_.front().data(); }

 private:
  const PaddedGrid& grid_of(int tensor) const { return grids_[size_t(plan_.level_of(tensor))]; }
  void back_through_convolution(int layer, const std::vector<T>& parameters,
                                std::vector<T>& gradient);

  Plan plan_;
  std::vector<PaddedGrid> grids_;
  std::vector<std::vector<T>> tensors_;
  std::vector<std::vector<T>> gradients_;
  std::vector<std::vector<T>> activations_;  ///< of layers with a relu and a skip, else empty
  std::vector<T> packed_;
  std::vector<T> before_activation_;
};

extern template class TrainingPass<float>;
extern template class TrainingPass<double>;

}  // namespace libsolve::learn

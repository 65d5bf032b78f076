#pragma once

#include <libsolve/learn/inference.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>

#include "network.hpp"

namespace dcdm {

/// What these networks are trained on and used for: symmetric diffusion operators on grids
/// (StencilOperator). The word in the weights file.
inline constexpr const char* operator_kind = "grid-diffusion";
/// Who reads the weights.
inline constexpr const char* network_kind = "dcdm";

/// A trained network for the operator of a system: q = f(r), 0 in solid cells.
class Engine {
 public:
  /// `weights`: a path or a name; "auto": "dcdm-2d" or "dcdm-3d" as the grid has it.
  Engine(std::string weights, const Context& context);

  /// Reads the weights and builds the network for the grid. Unsupported for operators that are not
  /// on a grid or lie on several ranks; InputError for weights that do not fit.
  void prepare(const LinearSystem& system, const std::string& method);
  /// q = f(r), r scaled as the network wants it; r_norm = ||r||, not 0.
  void apply(const Vector& r, double r_norm, const Vector& q);

  bool is_linear() const { return is_linear_; }
  double memory_bytes() const { return net_.memory_bytes(); }
  std::vector<Measure> metrics() const;
  const std::string& file() const { return file_; }

 private:
  std::string weights_;
  std::string base_folder_;
  std::string file_;
  bool is_linear_ = true;
  double num_parameters_ = 0.0;
  double norm_of_input_ = 1.0;
  learn::Inference net_;
  Kokkos::View<const unsigned char*, MemSpace> solid_;
};

}  // namespace dcdm

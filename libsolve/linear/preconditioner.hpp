#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/core/linear_operator.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <memory>

namespace libsolve {

/// z = M r, an approximate inverse of A.
class LIBSOLVE_EXPORT Preconditioner : public Component {
 public:
  static constexpr std::string_view kind = "preconditioner";
  static constexpr std::string_view problem_class = "linear";
  ~Preconditioner() override;

  /// Prepares for the operator of `system` (not its right-hand side). Throws Unsupported, naming
  /// what it needs and what it got; NumericalError where the preparation breaks down.
  virtual void setup(const LinearSystem& system) = 0;
  /// z = M r; r and z do not alias; z is overwritten.
  virtual void apply(const Vector& r, const Vector& z) = 0;

  /// The same linear map in every application.
  virtual bool is_linear() const { return true; }
  /// M = M^T and positive definite where A is, up to rounding.
  virtual bool is_symmetric() const = 0;
  /// Bytes held beyond the operator's own.
  virtual double memory_bytes() const { return 0.0; }
  /// What setup decided, for results and reports: levels, cycle, ...
  virtual std::vector<Measure> metrics() const { return {}; }
  virtual std::vector<std::string> notes() const { return {}; }

  /// z = M r, returns r^T z (xy) and, where q is given, q^T z (xz): what conjugate gradients needs,
  /// so that the last sweep can deliver it. Default: apply, then dot products.
  virtual DotPair apply_with_dots(const Vector& r, const Vector& z, const Vector* q);
};

}  // namespace libsolve
